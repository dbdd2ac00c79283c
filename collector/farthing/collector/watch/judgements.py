"""The judgements of runs that may be stuck, kept so that only what is new is read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from farthing.collector.watch.judge import Found, Judgement, judge
from farthing.collector.watch.read import Reader
from farthing.economics.loops import Baseline

_ENTRIES_MOST: Final = 40_000
"""About 50 MB, measured at 1.3 kB each; of older runs all is read again."""


class Judgements:
    """Judges runs by what the ledger has of them: whole, or from where it left off.

    What is kept changes what must be read, never what is found: a run goes on only if
    its newer entries are all that it does not know of, and is judged whole otherwise.
    """

    def __init__(self, reader: Reader, *, entries_most: int = _ENTRIES_MOST) -> None:
        self._reader = reader
        self._kept: OrderedDict[str, Judgement] = OrderedDict()
        self._entries = 0
        self._entries_most = entries_most

    def of(self, runs: Mapping[str, Baseline | None]) -> Iterator[Found]:
        """What is found in these runs, each with the baseline that it exceeds."""
        known = {r: j for r in runs if (j := self._forget(r)) and runs[r] is None}
        gone_on = dict.fromkeys(self._going_on(known))
        for run_id in gone_on:
            self._keep(run_id, known[run_id])
            yield from known[run_id].found()
        for entries in self._reader.entries([r for r in runs if r not in gone_on]):
            run_id = entries[0]["run_id"]
            if baseline := runs[run_id]:
                # What it is compared by is looked at from the first step.
                yield from judge(entries, baseline=baseline)
            else:
                yield from self._begun(run_id, entries)

    def _begun(self, run_id: str, entries: Sequence[Mapping[str, Any]]) -> list[Found]:
        judgement = Judgement()
        judgement.take(entries)
        self._keep(run_id, judgement)
        return judgement.found()

    def _going_on(self, known: Mapping[str, Judgement]) -> Iterator[str]:
        """The runs that could be told what is new in them."""
        if not known:
            return
        # Asked first: what comes in between makes the sum wrong, not the judgement.
        totals = self._reader.totals(known)
        last_us = {run_id: judgement.last_us for run_id, judgement in known.items()}
        newer = {rows[0]["run_id"]: rows for rows in self._reader.newer(last_us)}
        for run_id, judgement in known.items():
            rows = newer.get(run_id, [])
            is_all = len(judgement) + len(rows) == totals.get(run_id)
            if is_all and judgement.take(rows):
                yield run_id

    def _keep(self, run_id: str, judgement: Judgement) -> None:
        self._kept[run_id] = judgement
        self._entries += len(judgement)
        while self._entries > self._entries_most:
            _, oldest = self._kept.popitem(last=False)
            self._entries -= len(oldest)

    def _forget(self, run_id: str) -> Judgement | None:
        judgement = self._kept.pop(run_id, None)
        self._entries -= len(judgement) if judgement else 0
        return judgement
