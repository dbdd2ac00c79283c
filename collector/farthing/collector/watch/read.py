"""What the watch reads of the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Any, Final

from farthing.collector.store.client import Store
from farthing.collector.store.text import fill, quoted
from farthing.collector.watch.judge import Found
from farthing.economics.loops import Tuning

RUNS_AT_ONCE: Final = 500
_TEXT_MOST: Final = 100_000
"""Characters of run ids in the text of a query, of which the store takes 256 kB; each
may be escaped."""
_ID_MOST: Final = 10_000
"""A run id that is longer is none: it is left alone, as in settling."""


class Reader:
    """Questions about runs; errors are those of `Store`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keys_of_batches(self, names: Iterable[str]) -> Iterator[dict[str, Any]]:
        """What the steps of batches may repeat, by run: rows of sql/keys.sql."""
        yield from self._keys(f"load IN ({_listed(names)})")

    def keys_of_runs(self, runs: Iterable[str]) -> Iterator[dict[str, Any]]:
        """The same for all steps of some runs."""
        yield from self._keys(f"run_id IN ({_listed(runs)})")

    def known(self, runs: Iterable[str]) -> Iterator[dict[str, Any]]:
        """What is known of some runs in all: rows of sql/known.sql."""
        for chunk in chunks(runs):
            yield from self._asked("known.sql", {"runs": _listed(chunk)})

    def entries(self, runs: Iterable[str]) -> Iterator[list[dict[str, Any]]]:
        """The entries of each run, in the order in which they began."""
        yield from self._entries(runs, "1")

    def newer(self, last_us: Mapping[str, int]) -> Iterator[list[dict[str, Any]]]:
        """Those of them that began after a moment, another one for each run."""
        moments = ", ".join(map(str, last_us.values()))
        which = f"start_us > transform(run_id, [{_listed(last_us)}], [{moments}], 0)"
        yield from self._entries(last_us, which)

    def _entries(
        self, runs: Iterable[str], which: str
    ) -> Iterator[list[dict[str, Any]]]:
        if listed := _listed(runs):
            rows = self._asked("entries.sql", {"runs": listed, "which": which})
            for _, entries in groupby(rows, key=lambda row: row["run_id"]):
                yield list(entries)

    def totals(self, runs: Iterable[str]) -> dict[str, int]:
        """How many entries there are of each run."""
        rows = self._asked("totals.sql", {"runs": _listed(runs)})
        return {row["run_id"]: int(row["entries"]) for row in rows}

    def stored(self, runs: Iterable[str]) -> Iterator[Found]:
        """What was found in some runs before."""
        for row in self._asked("stored.sql", {"runs": _listed(runs)}):
            yield _found(row)

    def runs_since(self, since: datetime) -> list[str]:
        """Runs that ended since a moment."""
        asked = {"since_s": int(since.timestamp()), "id_most": _ID_MOST}
        rows = self._store.rows(_sql("runs_since.sql"), asked)
        return [row["run_id"] for row in rows]

    def _keys(self, which: str) -> Iterator[dict[str, Any]]:
        values = {
            "which": which,
            "informative_chars": str(Tuning().informative_chars),
            "id_most": str(_ID_MOST),
        }
        return self._asked("keys.sql", values)

    def _asked(self, name: str, values: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        text = self._store.raw(fill(_sql(name), values), fmt="JSONEachRow")
        return map(json.loads, text.splitlines())


def _found(row: Mapping[str, Any]) -> Found:
    told = dict(row)
    for name in ("first_time", "at_time", "last_time"):
        told[name] = datetime.fromisoformat(f"{row[name]}+00:00")
    for name in ("version", "steps", "calls", "tokens", "unpriced_calls"):
        told[name] = int(row[name])
    told["cost_usd"] = Decimal(row["cost_usd"])
    told["span_ids"] = tuple(row["span_ids"])
    return Found(**told)


def chunks(items: Iterable[str]) -> Iterator[list[str]]:
    """Runs in lists that fit into the text of a query."""
    chunk: list[str] = []
    size = 0
    for item in items:
        if chunk and (len(chunk) == RUNS_AT_ONCE or size + len(item) > _TEXT_MOST):
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += len(item)
    if chunk:
        yield chunk


def _listed(runs: Iterable[str]) -> str:
    return ", ".join(map(quoted, runs))


@cache
def _sql(name: str) -> str:
    return (files(__package__) / "sql" / name).read_text(encoding="utf-8")
