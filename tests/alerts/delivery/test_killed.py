"""`kill -9` at any moment of a delivery: the next process goes on from there."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from farthing.alerts.alert import Kind
from farthing.alerts.outbox import SqliteOutbox
from farthing.collector.demo.pagers import (
    Failure,
    Loopback,
    PagerDutyStandIn,
    SlackStandIn,
)
from tests.alerts.delivery.notices import alert, notice

ROOT = Path(__file__).parents[3]
TAKEN = Failure(acts=True, hangs=True)
"""It is done, and no answer comes: here the process is killed."""


@contextmanager
def deliverer(
    file: Path, slack: Loopback, pager: Loopback
) -> Iterator[subprocess.Popen]:
    command = [sys.executable, "-m", "tests.alerts.delivery.deliverer"]
    process = subprocess.Popen(
        [*command, str(file), slack.url, pager.url], stdin=subprocess.PIPE, cwd=ROOT
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("slack_before", "pager_before"), [(1, 0), (4, 2)])
def test_killed_after_slack_took_it_nothing_is_told_twice(
    tmp_path: Path,
    slack: Loopback,
    workspace: SlackStandIn,
    pagerduty: Loopback,
    service: PagerDutyStandIn,
    outbox: SqliteOutbox,
    slack_before: int,
    pager_before: int,
) -> None:
    """Slack has the message (or the reply in its thread) and we died before its answer:
    the next process finds it, and all that is left is told once. PagerDuty's incident,
    killed at its trigger or its resolve, is one by its key."""
    file = tmp_path / "alerts.sqlite"
    at = datetime.now(UTC)
    kinds: tuple[Kind, ...] = ("trigger", "update", "resolve")
    for number, kind in enumerate(kinds, start=1):
        told = alert(sequence=number, at=at + timedelta(microseconds=number))
        outbox.put([notice(kind, of=told, channel=c) for c in ("slack", "pager")])
    slack.fail(*[None] * slack_before, TAKEN)
    pagerduty.fail(*[None] * pager_before, TAKEN)
    with deliverer(file, slack, pagerduty):
        until(lambda: len(slack.requests) > slack_before)
        until(lambda: len(pagerduty.requests) > pager_before)
    with deliverer(file, slack, pagerduty):
        until(lambda: outbox.waiting() == 0)
    [root] = workspace.roots()
    assert "RESOLVED" in root.text
    assert len(workspace.thread(root)) == 2
    [incident] = service.incidents
    assert incident.status == "resolved"


def until(holds: Callable[[], bool]) -> None:
    """Wait for what another process does; after a minute it never will."""
    deadline_s = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
