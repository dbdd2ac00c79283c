"""The demo's alerts: told on the loopback, and taken back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from farthing.cli import show
from farthing.collector.demo.incidents import LOOP_RUN_ID, RUNAWAY_RUN_ID
from farthing.collector.demo.workplace import Workplace

_PATIENCE_S: Final = 60
_SILENCE: Final = timedelta(minutes=11)
"""More than the `idle_minutes` of both rules, after which a run has ended."""
_SUBJECTS: Final = (LOOP_RUN_ID, RUNAWAY_RUN_ID)
Wait = Callable[[float], None]


class DemoClock:
    """What the alerts of the demo go by: today's time until it is moved on."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def move_on(self, duration: timedelta) -> None:
        """Let so much time have passed."""
        self._ahead += duration


def show_alerts(office: Workplace, wait: Wait) -> None:
    """What arrived in Slack and in PagerDuty, once both incidents did, or after a while
    in any case."""
    with show.progress("watching") as tell:
        _until(lambda: all(map(office.is_told_of, _SUBJECTS)), wait, tell=tell)
    show.line()
    messages, incidents = office.messages(), office.incidents()
    if not messages:
        show.line("No alert was told yet.")
        return
    show.line("Told on a Slack and a PagerDuty of the demo's own, on the loopback:")
    for post in messages:
        show.line(f"  Slack      {post.text.partition(' ')[2].strip('*')}")
    for incident in incidents:
        show.line(f"  PagerDuty  {incident.summary}")


def end_alerts(office: Workplace, clock: DemoClock, wait: Wait) -> None:
    """Let both runs have been silent for so long that the rules take them for ended,
    and show that Slack and PagerDuty know."""
    clock.move_on(_SILENCE)
    with show.progress("taking back") as tell:
        _until(office.is_over, wait, tell=tell)
    if office.messages() and office.is_over():
        show.line("  and taken back, once both have been silent for ten minutes of the")
        show.line("  demo's clock: each message says RESOLVED, no incident is open.")


def watch_alerts(office: Workplace, wait: Wait) -> None:
    """Wait until Slack and PagerDuty were told that all is over, and say so."""
    while not (office.messages() and office.is_over()):
        wait(1)
    show.line()
    show.line(f"{datetime.now(UTC):%H:%M} UTC: taken back. Each message in Slack says")
    show.line("RESOLVED, no incident of PagerDuty is open.")


def _until(holds: Callable[[], bool], wait: Wait, *, tell: show.Update) -> None:
    began_s = time.monotonic()
    while not holds() and (passed_s := time.monotonic() - began_s) < _PATIENCE_S:
        tell(int(passed_s), "s")
        wait(0.05)
