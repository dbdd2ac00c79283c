"""`python -m benchmarks.alerts.killed`: `kill -9` at every state of an alert.

One alert goes through its life, told to five channels; at the states that a walk names
the collector is killed and started again. At the end every channel must have heard of
the alert and of its end, and none twice whose protocol has a key.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml

from benchmarks.alerts.latency import dear, post
from benchmarks.process import Collector
from farthing.alerts.file import AlertFile
from farthing.alerts.incident import Incident
from farthing.collector.alerting import alert_file
from farthing.collector.demo.pagers import (
    HANG,
    Failure,
    Loopback,
    PagerDutyStandIn,
    Provider,
    Reply,
    Request,
    SlackStandIn,
)

RULE: Final = "last-answer"
_RULE_YAML: Final = """
description: The last answer of a task type is long.
title: "{task_type} answers with {value:tokens}"
summary: "{value:tokens}, where {threshold:tokens} are allowed."
unit: tokens
severities: [warning]
every: 1s
for: 1s
hold: 1s
"""
_RULE_SQL: Final = """
SELECT task_type AS subject, task_type, argMax(output_tokens, time) AS value,
    toInt64(1000) AS threshold
FROM spans GROUP BY task_type
HAVING value >= threshold OR subject IN {open:Array(String)}
"""
_TAKEN: Final = Failure(acts=True, hangs=True)
"""The provider has it, and its answer never comes."""
_PATIENCE_S: Final = 60.0


@dataclass
class Receiver:
    """A webhook's, or an Alertmanager: takes everything, and keeps it."""

    requests: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Reply:
        self.requests.append(request)
        return Reply(200)


@dataclass
class Office:
    """A collector, what it remembers of alerts, and those whom it tells."""

    collector: Collector
    file: AlertFile
    slack: SlackStandIn
    hook: SlackStandIn
    pagerduty: PagerDutyStandIn
    webhook: Receiver
    alertmanager: Receiver
    loopbacks: Mapping[str, Loopback]
    sent: int = 0

    def answer(self, tokens: int) -> None:
        """Let an agent answer with so many tokens; sent again until it is taken."""
        self.sent += 1
        span = dear(f"answer-{self.sent}", "long-answers", output_tokens=tokens)
        url = f"http://127.0.0.1:{self.collector.ports.http}"
        until(lambda: _is_taken(url, span))

    def acknowledge(self) -> None:
        """As `farthing alerts ack` does."""
        self.file.wish(self.incident().id, "acknowledge", person="ann")

    def incident(self) -> Incident:
        """The only one."""
        [one] = self.incidents()
        return one

    def incidents(self) -> list[Incident]:
        """Of our rule; there must be one at most."""
        return [one for one in self.file.incidents(limit=100) if one.rule == RULE]

    def phase(self) -> str:
        """Of the incident; empty where there is none."""
        return "".join(one.phase for one in self.incidents())

    def waiting(self) -> int:
        """How many notices are not told yet."""
        [[count]] = self.file.rows(
            "SELECT count(*) FROM outbox WHERE status = 'waiting'"
        )
        return int(count)

    def heard(self) -> list[int]:
        """How many requests each provider has got."""
        return [len(loopback.requests) for loopback in self.loopbacks.values()]


@dataclass(frozen=True)
class State:
    """A state of an alert: what leads to it, and how it is seen from outside.

    `failure` is what the next request to each provider meets where a walk kills here,
    which it does once all of them have met it.
    """

    name: str
    seen: Callable[[Office], bool]
    act: Callable[[Office], None] = lambda _office: None
    failure: Failure | None = None


def _is_told(office: Office) -> bool:
    return office.incident().sequence > 0 and not office.waiting()


LIFE: Final = (
    State("pending", lambda o: o.phase() == "pending", lambda o: o.answer(5000)),
    State("firing", lambda o: o.phase() == "firing", failure=HANG),
    State("telling", lambda o: o.phase() == "firing", failure=_TAKEN),
    State("told", lambda o: o.phase() == "firing" and _is_told(o)),
    State(
        "acknowledged", lambda o: bool(o.incident().acknowledged_by), Office.acknowledge
    ),
    State("recovering", lambda o: o.phase() == "recovering", lambda o: o.answer(10)),
    State("resolved", lambda o: o.phase() == "resolved", failure=HANG),
    State("taking back", lambda o: o.phase() == "resolved", failure=_TAKEN),
)
"""In order. An alert that is killed while it is told is not killed before it, too: the
bot would look for its message first, and that request would meet the failure."""

WALKS: Final[Mapping[str, tuple[str, ...]]] = {
    "between": (
        *("pending", "firing", "told", "acknowledged"),
        *("recovering", "resolved"),
    ),
    "amidst": ("telling", "taking back"),
    **{state.name: (state.name,) for state in LIFE},
}


def walk(office: Office, kills: Sequence[str]) -> None:
    """Lead one alert through its life, killed at the states of these names."""
    for state in LIFE:
        is_killed = state.name in kills
        if is_killed and state.failure is not None:
            for loopback in office.loopbacks.values():
                loopback.fail(state.failure)
        before = office.heard()
        state.act(office)
        until(partial(state.seen, office))
        if is_killed:
            if state.failure is not None:
                until(partial(_all_heard_more, office, before))
            office.collector.kill()
            office.collector.start()
    until(partial(_is_told, office))


def _all_heard_more(office: Office, before: Sequence[int]) -> bool:
    return all(now > then for now, then in zip(office.heard(), before, strict=True))


def wrongs(office: Office) -> Iterator[str]:
    """What is not as promised, in words; nothing if all is."""
    if [one.phase for one in office.incidents()] != ["resolved"]:
        yield f"not one incident, resolved: {office.incidents()}"
    roots = office.slack.roots()
    if [":white_check_mark:" in root.text for root in roots] != [True]:
        yield f"the bot's messages: {[root.text for root in roots]}"
    thread = [post.text for root in roots for post in office.slack.thread(root)]
    if [text.count("RESOLVED") for text in thread] != [0, 1]:
        yield f"the bot's thread: {thread}"
    hooked = [post.text for post in office.hook.posts]
    if not ("RESOLVED" in hooked[-1] and "RESOLVED" not in hooked[0]):
        yield f"the webhook's messages: {hooked}"
    if [one.status for one in office.pagerduty.incidents] != ["resolved"]:
        yield f"PagerDuty's incidents: {office.pagerduty.incidents}"
    keys = {
        (r.headers["idempotency-key"], r.json()["status"])
        for r in office.webhook.requests
    }
    if sorted(status for _, status in keys) != ["firing", "firing", "resolved"]:
        yield f"the webhook's notices: {sorted(keys)}"
    told = [alert for r in office.alertmanager.requests for alert in r.json()]
    if len({str(alert["labels"]) for alert in told}) != 1:
        yield f"Alertmanager's alerts: {told}"
    ended = office.incident().resolved_at
    if ended is None or told[-1]["endsAt"] != ended.isoformat():
        yield f"Alertmanager was not told of the end: {told[-1]}"


@contextmanager
def office(folder: Path) -> Iterator[Office]:
    """A collector in `folder` with one rule's alerts told to all channels."""
    slack, hook, pagerduty = SlackStandIn(), SlackStandIn(), PagerDutyStandIn()
    webhook, alertmanager = Receiver(), Receiver()
    providers: dict[str, Provider] = {
        "bot": slack,
        "hook": hook,
        "pager": pagerduty,
        "webhook": webhook,
        "alertmanager": alertmanager,
    }
    with ExitStack() as stack:
        loopbacks = {
            name: stack.enter_context(Loopback(provider))
            for name, provider in providers.items()
        }
        urls = {name: loopback.url for name, loopback in loopbacks.items()}
        settings = _settings(folder, _channels(urls, slack))
        secrets = {
            "TOKEN": slack.token,
            "HOOK": urls["hook"] + hook.path,
            "KEY": pagerduty.routing_key,
            "URL": f"{urls['webhook']}/alerts",
        }
        collector = Collector(
            folder / "data",
            environment={"FARTHING_ALERTS_FILE": str(settings), **secrets},
        )
        collector.start()
        stack.callback(collector.kill)
        file = AlertFile(alert_file(folder / "data"))
        stack.callback(file.close)
        yield Office(
            collector, file, slack, hook, pagerduty, webhook, alertmanager, loopbacks
        )


def _channels(urls: Mapping[str, str], slack: SlackStandIn) -> dict[str, Any]:
    return {
        "bot": {
            "type": "slack_bot",
            "token": {"env": "TOKEN"},
            "channel": slack.channel,
            "api_url": f"{urls['bot']}/api",
        },
        "hook": {"type": "slack_webhook", "url": {"env": "HOOK"}},
        "pager": {
            "type": "pagerduty",
            "routing_key": {"env": "KEY"},
            "api_url": urls["pager"],
        },
        "webhook": {"type": "webhook", "url": {"env": "URL"}},
        "alertmanager": {"type": "alertmanager", "urls": [urls["alertmanager"]]},
    }


def _settings(folder: Path, channels: Mapping[str, Any]) -> Path:
    (folder / "rules").mkdir()
    (folder / "rules" / f"{RULE}.yaml").write_text(_RULE_YAML)
    (folder / "rules" / f"{RULE}.sql").write_text(_RULE_SQL)
    file = folder / "alerts.yaml"
    told = {
        "channels": dict(channels),
        "routes": [{"match": {"rule": RULE}, "channels": list(channels)}],
        "rules_folder": "rules",
    }
    file.write_text(yaml.safe_dump(told))
    return file


def until(holds: Callable[[], bool]) -> None:
    """Wait for what another process does; RuntimeError if it never happens."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while not holds():
        if time.monotonic() > deadline_s:
            raise RuntimeError("what was waited for did not happen")
        time.sleep(0.01)


def _is_taken(url: str, span: bytes) -> bool:
    try:
        post(url, span)
    except OSError:
        return False
    return True


def main() -> None:
    """Every walk in turn; exit code 1 if something was not as promised."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alerts.killed")
    parser.add_argument("--only", nargs="+", choices=WALKS, default=list(WALKS))
    found = []
    for name in parser.parse_args().only:
        with tempfile.TemporaryDirectory() as made, office(Path(made)) as one:
            walk(one, WALKS[name])
            found += (wrong := list(wrongs(one)))
        print(f"{name}: {'; '.join(wrong) or 'told once, resolved once'}", flush=True)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
