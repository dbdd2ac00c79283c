"""Incidents of which a rule's query says nothing any more, though it is asked.

What they were about may be gone: a model that nobody calls, a budget that is declared
otherwise, a ledger that was emptied. After an hour they are over. Only evaluations that
went well count, of this process and in a row: a restart, a failure and a query that was
not asked end nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from farthing.alerts.incident import Incident

WHY: Final = "no longer reported"
_LONG: Final = timedelta(hours=1)


class Unheard:
    """Since when each open incident of each rule has not been heard of."""

    def __init__(self) -> None:
        self._since: dict[str, dict[str, datetime]] = {}

    def noted(
        self, rule: str, silent: Iterable[Incident], now: datetime
    ) -> list[Incident]:
        """Note all the incidents of which an evaluation said nothing; those of them of
        which none has for long enough."""
        silent = list(silent)
        before = self._since.get(rule, {})
        since = {incident.id: before.get(incident.id, now) for incident in silent}
        self._since[rule] = since
        return [i for i in silent if now - since[i.id] >= _LONG]

    def failed(self, rule: str) -> None:
        """An evaluation went wrong: begin anew."""
        self._since.pop(rule, None)
