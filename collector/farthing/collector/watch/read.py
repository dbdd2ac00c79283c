"""What the watch reads of the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from farthing.collector.store.client import Store
from farthing.collector.store.finding import StoredFinding
from farthing.collector.store.ledger import loaded_since, of_batches
from farthing.collector.store.text import fill, quoted
from farthing.collector.watch.entry import TOLD, Entry
from farthing.collector.watch.repeats import Brought
from farthing.collector.watch.told import OVERLOAD
from farthing.economics.loops import Tuning

_TEXT_MOST: Final = 100_000
"""Characters of run ids in the text of a query, of which the store takes 256 kB; each
may be escaped."""
_TEXT_OF_RUN: Final = 4
_ENTRIES_MOST: Final = 20_000
"""Entries that are read at once, about 15 MB of text."""
_ID_MOST: Final = 10_000
"""A run id that is longer is none: it is left alone, as in settling."""
_entry: Final = partial(tuple.__new__, Entry)
"""`Entry._make` of a row that has all columns, in half the time."""


class Reader:
    """Questions about runs; errors are those of `Store`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keys_of_batches(self, names: Iterable[str]) -> Iterator[Brought]:
        """What batches brought, and what their steps may repeat, by run."""
        yield from self._keys(of_batches(names))

    def keys_of_runs(self, runs: Iterable[str]) -> Iterator[Brought]:
        """The same for all that there is of some runs."""
        for chunk in chunks(runs):
            yield from self._keys(_runs(chunk))

    def sizes_of_batches(self, names: Iterable[str]) -> dict[str, int]:
        """How many spans there are by now of the runs of which batches tell."""
        sql = fill(_sql("sizes_of_batches.sql"), {"which": of_batches(names)})
        return dict(zip(*self._store.columns(sql), strict=True))

    def sizes(self, runs: Iterable[str]) -> dict[str, int]:
        """How many spans there are of some runs."""
        found: dict[str, int] = {}
        for chunk in chunks(runs):
            sql = fill(_sql("sizes.sql"), {"runs": _listed(chunk)})
            found.update(zip(*self._store.columns(sql), strict=True))
        return found

    def entries(
        self,
        whole: Mapping[str, int],
        parts: Mapping[str, int] | None = None,
        *,
        batches: Iterable[str] = (),
        since_s: Mapping[str, int] = MappingProxyType({}),
    ) -> Iterator[tuple[str, list[Entry]]]:
        """Runs with all their entries, and others with those that batches brought, in
        their order. They come with how many those are, at least; `since_s` says of whom
        nothing was loaded before some moment."""
        parts = parts or {}
        sizes = {**whole, **parts}
        for chunk in chunks(sizes, sizes):
            asked = _whole([r for r in chunk if r in whole], since_s)
            some = _runs(run_id for run_id in chunk if run_id in parts)
            if some:
                some = f"{of_batches(batches)} AND {some}"
            yield from self._entries(f"({' OR '.join(filter(None, (asked, some)))})")

    def newest(self, run_id: str, number: int) -> list[Entry]:
        """The entries of a run that ended last, in their order."""
        newest = f"ORDER BY time DESC LIMIT {number}"
        found = self._entries(f"run_id = {quoted(run_id)}", newest=newest)
        return [entry for _, entries in found for entry in entries]

    def stored(
        self, runs: Iterable[str]
    ) -> dict[str, dict[tuple[str, str, str, int], StoredFinding]]:
        """What was found in some runs before, by run."""
        stored: dict[str, dict[tuple[str, str, str, int], StoredFinding]] = {}
        for chunk in chunks(runs):
            sql = fill(_sql("stored.sql"), {"runs": _listed(chunk)})
            for row in self._store.rows(sql):
                found = StoredFinding.of_row(row)
                stored.setdefault(found.run_id, {})[found.key] = found
        return stored

    def runs_since(self, since: datetime) -> list[str]:
        """Runs that ended since a moment."""
        asked = {"since_s": int(since.timestamp()), "id_most": _ID_MOST}
        rows = self._store.rows(_sql("runs_since.sql"), asked)
        return [row["run_id"] for row in rows]

    def _entries(
        self, which: str, *, newest: str = ""
    ) -> Iterator[tuple[str, list[Entry]]]:
        sql = fill(_sql("entries.sql"), {"which": which, "newest": newest, **TOLD})
        runs: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in map(_entry, zip(*self._store.columns(sql), strict=True)):
            runs[entry.run_id].append(entry)
        for run_id, entries in runs.items():
            entries.sort()
            yield run_id, entries

    def _keys(self, which: str) -> Iterator[Brought]:
        values = {
            "which": which,
            "informative_chars": str(Tuning().informative_chars),
            "long_reply_tokens": str(Tuning().long_reply_tokens),
            "overload": _listed(OVERLOAD),
            "id_most": str(_ID_MOST),
        }
        columns = self._store.columns(fill(_sql("keys.sql"), values))
        rows = list(map(Brought._make, zip(*columns, strict=True)))
        if not any(row.handing for row in rows):
            yield from rows
            return
        told = self._store.columns(fill(_sql("handed.sql"), values))
        handed = dict(zip(*told, strict=True))
        for row in rows:
            keys = [*row.keys, *handed.get(row.run_id, ())]
            yield row._replace(keys=keys)


def chunks(
    items: Iterable[str], sizes: Mapping[str, int] | None = None
) -> Iterator[list[str]]:
    """Runs in lists that fit into the text of a query and whose entries, `sizes`, fit
    into memory."""
    chunk: list[str] = []
    text = entries = 0
    for item in items:
        own = sizes[item] if sizes else 0
        if chunk and (text + len(item) > _TEXT_MOST or entries + own > _ENTRIES_MOST):
            yield chunk
            chunk, text, entries = [], 0, 0
        chunk.append(item)
        text += len(item) + _TEXT_OF_RUN
        entries += own
    if chunk:
        yield chunk


def _whole(runs: Sequence[str], since_s: Mapping[str, int]) -> str:
    """The condition that names these runs. All parts of the ledger have to be looked at
    for them, unless it is known of all since when they were loaded."""
    asked = _runs(runs)
    if not runs or not all(run_id in since_s for run_id in runs):
        return asked
    return f"{asked} AND {loaded_since(min(since_s[run_id] for run_id in runs))}"


def _runs(runs: Iterable[str]) -> str:
    """The condition that names these runs; empty of none."""
    listed = _listed(runs)
    return f"run_id IN [{listed}]" if listed else ""


def _listed(runs: Iterable[str]) -> str:
    return ", ".join(map(quoted, runs))


@cache
def _sql(name: str) -> str:
    return (files(__package__) / "sql" / name).read_text(encoding="utf-8")
