"""Which runs are worth a closer look: those in which something is there three times.

Kept in memory, bounded; what was forgotten, or was never known after a start, is read
from the ledger again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

_THRICE: Final = 3
_KEYS_MOST: Final = 1_000_000
"""About 100 MB: 10,000 runs of 100 keys, of which the oldest are forgotten. A run takes
the room of a few keys itself."""
_KEYS_OF_RUN: Final = 4


@dataclass(slots=True)
class _Run:
    counts: dict[int, int] = field(default_factory=dict)
    last_us: int = 0
    has_repeats: bool = False
    has_findings: bool = False


class Repeats:
    """Counts what the steps of runs repeat; keys are numbers, of sql/keys.sql."""

    def __init__(self, *, keys_most: int = _KEYS_MOST) -> None:
        self._runs: OrderedDict[str, _Run] = OrderedDict()
        self._keys = 0
        self._keys_most = keys_most

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._runs

    def count(
        self, run_id: str, keys: Iterable[int], *, first_us: int, last_us: int
    ) -> bool:
        """Add the keys of new steps, which began between two moments; whether they can
        change what is found in the run."""
        if run_id not in self._runs:
            self._runs[run_id] = _Run()
            self._keys += _KEYS_OF_RUN
        run = self._runs[run_id]
        self._runs.move_to_end(run_id)
        before = len(run.counts)
        is_hot = _add(run, keys)
        self._keys += len(run.counts) - before
        # A step that comes late can part what seemed to be one turn.
        is_late = first_us < run.last_us
        run.last_us = max(run.last_us, last_us)
        self._forget_oldest()
        return is_hot or run.has_findings or (is_late and run.has_repeats)

    def note_findings(self, run_id: str) -> None:
        """What comes to a run in which something was found may change that."""
        if run_id in self._runs:
            self._runs[run_id].has_findings = True

    def _forget_oldest(self) -> None:
        while self._keys > self._keys_most and len(self._runs) > 1:
            _, run = self._runs.popitem(last=False)
            self._keys -= len(run.counts) + _KEYS_OF_RUN


def _add(run: _Run, keys: Iterable[int]) -> bool:
    is_hot = False
    for key in keys:
        count = run.counts.get(key, 0) + 1
        run.counts[key] = count
        is_hot = is_hot or count >= _THRICE
    run.has_repeats = run.has_repeats or is_hot
    return is_hot
