"""Incidents of which a rule's query says nothing any more, though it is asked.

What they were about may be gone: a model that nobody calls, a budget that is declared
otherwise, a ledger that was emptied. They are over after the rule's `gone_after`, or an
hour where they did not fire yet. Only evaluations that went well count, of this process
and in a row: a restart, a failure and a query that was not asked end nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from farthing.alerts.incident import Incident
from farthing.alerts.rule import Rule

WHY: Final = "no longer reported"
_PENDING: Final = timedelta(hours=1)


class Unheard:
    """Since when each open incident of each rule has not been heard of."""

    def __init__(self) -> None:
        self._since: dict[str, dict[str, datetime]] = {}

    def noted(
        self, rule: Rule, silent: Iterable[Incident], now: datetime
    ) -> list[Incident]:
        """Note all the incidents of which an evaluation said nothing; those of them of
        which none has for long enough."""
        silent = list(silent)
        before = self._since.get(rule.name, {})
        since = {incident.id: before.get(incident.id, now) for incident in silent}
        self._since[rule.name] = since
        gone_after = timedelta(seconds=rule.gone_after)
        return [
            i
            for i in silent
            if now - since[i.id] >= (gone_after if i.is_firing else _PENDING)
        ]

    def failed(self, rule: str) -> None:
        """An evaluation went wrong: begin anew."""
        self._since.pop(rule, None)
