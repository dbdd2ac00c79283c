"""Alerts beside the collector: rules are evaluated after loads and by the clock.

A thread of its own: an evaluation that is slow, or fails, holds up nothing. It takes at
most a tenth of its time on the processor.
"""

from __future__ import annotations

import json
import logging
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from farthing.alerts import instances
from farthing.alerts.budget_reader import BudgetReader
from farthing.alerts.budgets import Budget, as_given
from farthing.alerts.channel import Clock, open_channels, utc_now
from farthing.alerts.declared import Declared, StopOrder, ordered_by_rules
from farthing.alerts.deliver import Delivery
from farthing.alerts.destination import Surroundings
from farthing.alerts.evaluate import Evaluator, Sources
from farthing.alerts.file import AlertFile
from farthing.alerts.outbox import SqliteOutbox
from farthing.alerts.picture import Draw
from farthing.alerts.policy import Policy, read_policy
from farthing.alerts.weekly import WeeklyReport
from farthing.collector.config import Settings, environment
from farthing.collector.store.client import Refused, Store
from farthing.errors import StoreUnavailable

log = logging.getLogger(__name__)

FILE: Final = "alerts.sqlite3"
DEAD_LETTERS: Final = "dead-letters"
_SHORTEST_S: Final = 0.2
_LONGEST_S: Final = 2.0
_LONGEST_REST_S: Final = 5.0
_REST: Final = 9
_LAG_S: Final = 120


def _nothing() -> None:
    """What is done after an evaluation where nothing is."""


class Alerting:
    """Evaluates the rules until it is stopped. `evaluated` is called after each round:
    something may be in the outbox."""

    def __init__(
        self,
        store: Store,
        file: AlertFile,
        policy: Policy,
        declared: Declared,
        *,
        registry: CollectorRegistry,
        dead_letters: Path,
        evaluated: Callable[[], None] = _nothing,
        clock: Clock = utc_now,
    ) -> None:
        self._store = store
        self.file = file
        self._policy = policy
        self.declared = declared
        self._evaluated = evaluated
        self._clock = clock
        self._weekly = WeeklyReport(file, policy)
        self._meters = _Meters(registry, file)
        self._evaluator = Evaluator(
            policy,
            file,
            Sources(
                ask=store.rows,
                collector=lambda: troubles(
                    registry, file, dead_letters=dead_letters, now=clock()
                ),
                given=lambda: given(declared.budgets(), clock()),
            ),
            clock=clock,
            on_problem=lambda rule: self._meters.failures.labels(rule).inc(),
        )
        self.budgets = BudgetReader(
            *(store.rows, declared),
            orders=self._orders,
            lag_s=lambda: _lag_s(registry, unknown=math.inf),
            clock=clock,
        )
        self._stopping = threading.Event()
        self._poked = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alerting")

    def start(self) -> None:
        """Begin to evaluate."""
        self._thread.start()
        self.budgets.start()

    def poke(self) -> None:
        """Something was loaded: look soon."""
        self._poked.set()
        self.budgets.poke()

    def stop(self) -> None:
        """Finish the evaluation under way and end."""
        self._stopping.set()
        self._poked.set()
        self._thread.join()
        self.budgets.stop()

    def _run(self) -> None:
        while not self._stopping.is_set():
            loaded = self._poked.is_set()
            self._poked.clear()
            began_s = time.monotonic()
            until_next = self.round(loaded=loaded)
            rest_s = max(_SHORTEST_S, _REST * (time.monotonic() - began_s))
            self._stopping.wait(min(rest_s, _LONGEST_REST_S))
            wait_s = until_next.total_seconds() - rest_s
            if wait_s > 0:
                self._poked.wait(min(wait_s, _LONGEST_S))

    def round(self, *, loaded: bool) -> timedelta:
        """One round; the time until the next that is due."""
        try:
            with self._meters.seconds.time():
                until_next = self._evaluator.evaluate(loaded=loaded)
            self._weekly.look(self._clock())
            self._publish()
        except sqlite3.Error as error:
            log.warning("alerts wait for their file: %s", error)
            return timedelta(seconds=_LONGEST_S)
        except Exception:  # the thread must outlive everything
            log.exception("alerts were not evaluated")
            return timedelta(seconds=_LONGEST_S)
        self.budgets.poke()
        self._evaluated()
        return until_next

    def _orders(self) -> list[StopOrder]:
        """Those of people, and of rules that fire."""
        by_rules = ordered_by_rules(self.file.open_incidents(), self._evaluator.rules)
        return [*self.declared.orders(), *by_rules]

    def _publish(self) -> None:
        """Tell the ledger of incidents; what fails is told in a later round."""
        news = self._evaluator.publishable()
        if not news:
            return
        rows = [instances.row(incident, self._policy) for incident in news]
        try:
            self._store.insert(instances.TABLE, instances.COLUMNS, rows)
        except (StoreUnavailable, Refused) as error:
            log.info("alert_instances is behind: %s", error)
            return
        self.file.published(news)


@contextmanager
def running_alerting(
    settings: Settings,
    store: Store,
    registry: CollectorRegistry,
    *,
    clock: Clock = utc_now,
    draw: Draw | None = None,
    page_url: str = "",
) -> Iterator[Alerting]:
    """Alerts for the length of the block; without `draw` they have no pictures.
    `page_url` is where the collector serves its page. Raises ConfigError."""
    policy = alert_policy(settings, page_url=page_url)
    channels = open_channels(policy.channels, environ=environment(), clock=clock)
    with closing(AlertFile(alert_file(settings.data_dir))) as file:
        declared = Declared(file, settings.budgets_file)
        delivery = Delivery(
            channels, Surroundings(SqliteOutbox(file), clock, _counted(registry), draw)
        )
        alerting = Alerting(
            *(store, file, policy, declared),
            registry=registry,
            dead_letters=settings.data_dir / DEAD_LETTERS,
            evaluated=delivery.wake,
            clock=clock,
        )
        delivery.start()
        alerting.start()
        try:
            yield alerting
        finally:
            alerting.stop()
            delivery.stop()


def _counted(registry: CollectorRegistry) -> Callable[[str, str], None]:
    attempts = Counter(
        "farthing_alerts_deliveries",
        "Attempts to tell a channel, by what came of them: delivered, or why not",
        ["channel", "outcome"],
        registry=registry,
    )
    return lambda channel, outcome: attempts.labels(channel, outcome).inc()


def alert_policy(settings: Settings, *, page_url: str = "") -> Policy:
    """The alert settings; links lead to the collector's own page where they name no
    other: to `page_url`, or as far as the settings tell it. Raises ConfigError."""
    policy = read_policy(settings.alerts_file)
    if policy.page_url:
        return policy
    return policy.model_copy(update={"page_url": page_url or settings.page_url})


def alert_file(data_dir: Path) -> Path:
    """Where the alerts of a data folder are remembered."""
    return data_dir / FILE


def given(budgets: tuple[Budget, ...], now: datetime) -> Mapping[str, str]:
    """What the queries of rules are given besides their own parameters, as JSON."""
    return {name: json.dumps(told) for name, told in as_given(budgets, now).items()}


def troubles(
    registry: CollectorRegistry, file: AlertFile, *, dead_letters: Path, now: datetime
) -> list[dict[str, Any]]:
    """What is wrong with the collector itself: readings of the rule `collector`."""
    lag_s, hour_ago = _lag_s(registry), now - timedelta(hours=1)
    times_s = [path.stat().st_mtime for path in dead_letters.glob("*.pb")]
    dead = sum(time_s > hour_ago.timestamp() for time_s in times_s)
    failed = [e for e in file.evaluations().values() if e.failures >= 3]
    unheard = SqliteOutbox(file).dead_since(hour_ago)
    return [
        _trouble(
            "lag",
            lag_s,
            _LAG_S,
            f"what arrives waits {lag_s:.0f} s for the ledger",
            "Is the store up, and is the disk full? See farthing doctor.",
        ),
        _trouble(
            "dead-letters",
            dead,
            1,
            f"the ledger refused {dead} requests in the last hour",
            f"They are in {dead_letters}, each with its reason.",
        ),
        _trouble(
            "rules",
            len(failed),
            1,
            f"rules cannot be evaluated: {', '.join(sorted(e.rule for e in failed))}"
            if failed
            else "all rules can be evaluated again",
            failed[0].problem if failed else "",
        ),
        _trouble(
            "undelivered",
            unheard,
            1,
            f"{unheard} messages could not be delivered in the last hour",
            "farthing alerts list --dead shows them.",
        ),
    ]


def _lag_s(registry: CollectorRegistry, *, unknown: float = 0.0) -> float:
    """How long the oldest request waits for the ledger; `unknown` until a loader
    says it."""
    lag_s = registry.get_sample_value("farthing_spool_oldest_age_seconds")
    return unknown if lag_s is None else lag_s


def _trouble(
    subject: str, value: float, threshold: float, words: str, advice: str
) -> dict[str, Any]:
    shown = {"words": words, "advice": advice}
    return {"subject": subject, "value": value, "threshold": threshold, **shown}


class _Meters:
    """How the alerts themselves are."""

    def __init__(self, registry: CollectorRegistry, file: AlertFile) -> None:
        self.seconds = Histogram(
            "farthing_alerts_seconds", "Time of a round of rules", registry=registry
        )
        self.failures = Counter(
            "farthing_alerts_failures",
            "Evaluations of rules that failed",
            ["rule"],
            registry=registry,
        )
        open_incidents = Gauge(
            "farthing_alerts_open", "Incidents that are firing", registry=registry
        )
        open_incidents.set_function(
            lambda: sum(i.is_firing for i in file.open_incidents().values())
        )
        waiting = Gauge(
            "farthing_alerts_outbox", "Messages not delivered yet", registry=registry
        )
        waiting.set_function(SqliteOutbox(file).waiting)
