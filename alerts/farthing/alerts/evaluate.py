"""Rules ▶ readings ▶ incidents ▶ notices: one evaluation, written in one transaction.

A rule that fails, for whatever reason, changes nothing but the note that it failed:
its incidents stay as they are, and the other rules are evaluated.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from farthing.alerts.alert import Notice
from farthing.alerts.file import AlertFile
from farthing.alerts.incident import Incident, resolved, step
from farthing.alerts.outbox import SqliteOutbox
from farthing.alerts.policy import Policy
from farthing.alerts.reading import BadRow, Reading, reading
from farthing.alerts.rule import Rule
from farthing.alerts.storm import GROUP, gathered, groups_stepped
from farthing.alerts.tell import Situation, tell, why_muted
from farthing.alerts.unheard import WHY, Unheard

log = logging.getLogger(__name__)

Ask = Callable[[str, Mapping[str, Any]], Sequence[Mapping[str, Any]]]
"""The rows of a query with its parameters; raises where they cannot be had."""
Rows = Callable[[], Sequence[Mapping[str, Any]]]

_LIMITS: Final = "\nSETTINGS max_threads = 1, max_execution_time = 60"
_PARAMETER: Final = re.compile(r"\{(\w+):")
_LEAST_S: Final = 5.0
_RARELY: Final = 50
"""A baseline is learned in one part of so many of the time."""
_KEPT: Final = timedelta(days=90)
_PUBLISH_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where readings come from: the ledger, the collector's own state, and what else
    queries are given by name."""

    ask: Ask
    collector: Rows = tuple
    given: Callable[[], Mapping[str, Any]] = dict


class Evaluator:
    """Evaluates rules and writes what follows into the alerts' file and outbox."""

    def __init__(
        self,
        policy: Policy,
        file: AlertFile,
        sources: Sources,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_problem: Callable[[str], None] = lambda _rule: None,
    ) -> None:
        self._policy = policy
        self.rules = policy.all_rules()
        self._file = file
        self._outbox = SqliteOutbox(file)
        self._sources = sources
        self._clock = clock
        self._on_problem = on_problem
        self._next: dict[str, datetime] = {}
        self._baselines: dict[str, tuple[datetime, str]] = {}
        self._published_at: dict[str, datetime] = {}
        self._unheard = Unheard()
        self._pruned_at: datetime | None = None

    def evaluate(self, *, loaded: bool = False) -> timedelta:
        """Evaluate the rules whose time has come, and after a load those that hang on
        it (`every: 0`); the time until the next."""
        for rule in self.rules.values():
            now = self._clock()
            if (loaded and not rule.every) or now >= self._next.get(rule.name, now):
                self.evaluate_rule(rule)
                pause = timedelta(seconds=rule.every or 30)
                self._next[rule.name] = self._clock() + pause
        self.grant_wishes()
        self._prune()
        soonest = min(self._next.values(), default=self._clock() + _PUBLISH_EVERY)
        return max(soonest - self._clock(), timedelta(0))

    def evaluate_rule(self, rule: Rule) -> bool:
        """Evaluate one rule; False if that failed."""
        now, began_s = self._clock(), time.monotonic()
        problem = ""
        try:
            readings = self.read(rule, now)
            with self._file.transaction():
                self._apply(rule, readings, now)
        except Exception as error:  # whatever it is, other rules go on
            problem = f"{type(error).__name__}: {error}"[:600]
            log.debug("rule %s", rule.name, exc_info=True)
            self._unheard.failed(rule.name)
            self._on_problem(rule.name)
        took_ms = int((time.monotonic() - began_s) * 1000)
        failures = self._file.evaluated(
            rule.name, now, took_ms=took_ms, problem=problem
        )
        if failures == 1:
            log.warning("rule %s was not evaluated: %s", rule.name, problem)
        return not problem

    def read(self, rule: Rule, now: datetime) -> list[Reading]:
        """What a rule's query says now; errors are those of the query."""
        if rule.source == "collector":
            rows = self._sources.collector()
        else:
            rows = self._asked(rule, rule.sql, now)
        readings = [reading(rule, row) for row in rows]
        subjects = Counter(each.subject for each in readings)
        if double := [subject for subject, count in subjects.items() if count > 1]:
            raise BadRow(f"rule {rule.name!r} has several rows for {double[0]!r}")
        return readings

    def grant_wishes(self) -> None:
        """Do what people asked for: acknowledge, resolve. Incidents of rules that are
        no longer there end here, too, and so do their failures."""
        wishes = self._file.wishes()
        now = self._clock()
        with self._file.transaction():
            known = self._file.open_incidents()
            changed = {
                incident.id: resolved(incident, "rule removed", now=now)
                for incident in known.values()
                if incident.rule not in self.rules
            }
            for wished in wishes:
                incident = changed.get(wished.alert_id) or known.get(wished.alert_id)
                if incident is not None:
                    changed[incident.id] = (
                        replace(incident, acknowledged_by=wished.person)
                        if wished.wish == "acknowledge"
                        else resolved(incident, f"by {wished.person}", now=now)
                    )
            self._file.granted(wishes)
            self._file.forget_evaluations(but=self.rules)
            self._write(changed.values(), known, now)

    def _prune(self) -> None:
        """Once a day, forget what has long been over: the ledger still knows it."""
        now = self._clock()
        if self._pruned_at is None or now - self._pruned_at > timedelta(days=1):
            self._file.prune(now - _KEPT)
            self._pruned_at = now

    def publishable(self) -> list[Incident]:
        """Incidents of which the ledger does not know the newest."""
        return self._file.unpublished()

    def _asked(self, rule: Rule, sql: str, now: datetime) -> list[Mapping[str, Any]]:
        given, known = self._sources.given(), self._open_subjects(rule)
        if is_idle(rule, given) and not known:
            return []
        values: dict[str, Any] = {
            "now": _text(now),
            "moments": [_text(now)],
            "open": known,
            "baseline": self._baseline(rule, now) if rule.baseline_sql else "",
            **{name: _scalar(value) for name, value in rule.parameters.items()},
            **given,
        }
        return list(self._sources.ask(*prepared(sql, values)))

    def _open_subjects(self, rule: Rule) -> list[str]:
        known = self._file.open_incidents(rule.name).values()
        return sorted(i.subject for i in known if not i.subject.startswith(GROUP))

    def _baseline(self, rule: Rule, now: datetime) -> str:
        """What is usual, as JSON: learned anew every `baseline_every`, sooner where it
        costs little, so that a ledger that has just begun is known, too."""
        known = self._baselines.get(rule.name)
        if known is None or now >= known[0]:
            began_s = time.monotonic()
            values: dict[str, Any] = {
                "now": _text(now),
                **{name: _scalar(value) for name, value in rule.parameters.items()},
            }
            rows = self._sources.ask(*prepared(rule.baseline_sql, values))
            text = json.dumps([dict(row) for row in rows], default=str)
            pause_s = max(_LEAST_S, _RARELY * (time.monotonic() - began_s))
            until = now + timedelta(seconds=min(pause_s, rule.baseline_every))
            known = self._baselines[rule.name] = (until, text)
        return known[1]

    def _apply(self, rule: Rule, readings: Iterable[Reading], now: datetime) -> None:
        known = self._file.open_incidents(rule.name)
        stepped = self._stepped(rule, readings, known, now)
        self._file.forget(known.keys() - stepped.keys())
        situation = self._situation(now, stepped.values())
        muted = [replace(i, muted=why_muted(i, situation)) for i in stepped.values()]
        members = [_with_group_muted(i) for i in gathered(muted, rule)]
        groups = {i.id: i for i in groups_stepped(members, rule, now=now)}
        incidents = [groups.pop(i.id, i) for i in members] + list(groups.values())
        self._write(incidents, known, now)

    def _stepped(
        self,
        rule: Rule,
        readings: Iterable[Reading],
        known: Mapping[str, Incident],
        now: datetime,
    ) -> dict[str, Incident]:
        """The incidents of a rule after its readings, without those that came to
        nothing."""
        by_subject = {incident.subject: incident for incident in known.values()}
        stepped = dict(known)
        for each in readings:
            before = by_subject.pop(each.subject, None)
            after = step(before, each, rule=rule, now=now)
            if after is not None:
                stepped[after.id] = after
            elif before is not None:
                del stepped[before.id]
        silent = [i for i in by_subject.values() if not i.subject.startswith(GROUP)]
        for gone in self._unheard.noted(rule, silent, now):
            if gone.phase == "pending":
                del stepped[gone.id]
            else:
                stepped[gone.id] = resolved(gone, WHY, now=now)
        return stepped

    def _situation(self, now: datetime, own: Iterable[Incident]) -> Situation:
        """What decides who is told; `own` are newer than those in the file."""
        everything = self._file.open_incidents() | {i.id: i for i in own}
        return Situation(
            policy=self._policy,
            rules=self.rules,
            silences=self._file.silences(now),
            firing=[i for i in everything.values() if i.is_firing],
            now=now,
        )

    def _write(
        self,
        incidents: Iterable[Incident],
        known: Mapping[str, Incident],
        now: datetime,
    ) -> None:
        """Save incidents, and put what is to be told of them into the outbox."""
        incidents = list(incidents)
        situation = self._situation(now, incidents)
        notices: list[Notice] = []
        for incident in incidents:
            told, news = tell(incident, situation)
            notices += news
            _log(told, known.get(told.id))
            fired = told.fired_at is not None  # what is pending is nobody's business
            publish = fired and self._is_news(told, known.get(told.id), now)
            self._file.save([told], publish=publish)
        self._outbox.put(notices)

    def _is_news(self, now_is: Incident, was: Incident | None, now: datetime) -> bool:
        """Whether the ledger should know: of events at once, of values once a while."""
        last = self._published_at.get(now_is.id)
        same = was is not None and (
            (was.phase, was.sequence, was.muted, was.acknowledged_by)
            == (now_is.phase, now_is.sequence, now_is.muted, now_is.acknowledged_by)
        )
        if same and last is not None and now - last < _PUBLISH_EVERY:
            return False
        self._published_at[now_is.id] = now
        if not now_is.is_open:
            del self._published_at[now_is.id]
        return True


def is_idle(rule: Rule, given: Mapping[str, Any]) -> bool:
    """Whether there is nothing of what a rule is about: no budgets, say."""
    return bool(rule.needs) and given.get(rule.needs, "[]") == "[]"


def prepared(sql: str, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A rule's query within its limits, and those of the values that it asks for."""
    asked = set(_PARAMETER.findall(sql))
    used = {name: value for name, value in values.items() if name in asked}
    return sql.rstrip().removesuffix(";") + _LIMITS, used


def takes_moments(sql: str) -> bool:
    """Whether a rule's query can be asked of many moments at once."""
    return "moments" in _PARAMETER.findall(sql)


def _with_group_muted(incident: Incident) -> Incident:
    return (
        replace(incident, muted=f"part of {incident.group}")
        if incident.group
        else incident
    )


def _log(incident: Incident, before: Incident | None) -> None:
    """What happened, for those who read logs."""
    was = None if before is None else before.phase
    if incident.phase == "resolved":
        log.info("resolved (%s): %s", incident.why_resolved, incident.title)
    elif incident.phase == "firing" and was not in ("firing", "recovering"):
        log.info("alert: %s [%s]", incident.title, incident.severity)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _scalar(value: Any) -> Any:
    """A parameter as the engine reads it: decimals as they are written."""
    return value if isinstance(value, int | str) else format(value, "f")
