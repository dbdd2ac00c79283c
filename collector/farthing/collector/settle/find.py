"""Finds, after a load, the entries that may tell of one call with another entry.

Emitters that tell each call once share no number between two of their spans, which one
query over a narrow table finds out. Only what is left is read from the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from itertools import chain, islice, repeat
from typing import Any, Final

from farthing.collector.settle.entries import NOT_COPIED, Columns, Entry
from farthing.collector.settle.groups import SLACK_US
from farthing.collector.settle.telling import OWN_IDS
from farthing.collector.store.client import Store
from farthing.collector.store.text import any_of, fill, quoted

_LONGEST_US: Final = 600_000_000
_QUERY_BYTES: Final = 200_000
"""What the text of a query may hold: the store's own limit is 262,144 bytes."""
_PLACES_AT_ONCE: Final = 4_000
_SEEDS_AT_ONCE: Final = 1_500  # which stand in a query up to five times
_LINKS: Final = ("span", "parent", "answer", "likeness")
_LIKENESS_ROUNDS: Final = 4
"""How far alike calls that overlap are followed: of a stand-in that answers always the
same there is no end."""


@dataclass(frozen=True, slots=True)
class _Window:
    """A stretch of time in microseconds: what overlaps it is looked at. `spans` is how
    many distinct ones the batch has."""

    from_us: int
    until_us: int
    spans: int = 0

    @property
    def values(self) -> dict[str, str]:
        return {
            "from_us": str(self.from_us - SLACK_US),
            "until_us": str(self.until_us + SLACK_US),
            "exactly_from_us": str(self.from_us),
            "exactly_until_us": str(self.until_us),
        }


class Finder:
    """Reads the ledger for `Settler`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @cached_property
    def columns(self) -> Columns:
        """The columns of an entry that a correction copies."""
        rows = self._store.rows(
            "SELECT name FROM system.columns"
            " WHERE database = currentDatabase() AND table = 'spans' ORDER BY position"
        )
        return Columns([r["name"] for r in rows if r["name"] not in NOT_COPIED])

    def entries(self, batch_name: str) -> Iterator[list[Entry]]:
        """What may have to be settled now that a batch is loaded; mostly nothing. What
        belongs together comes together."""
        load = quoted(batch_name)
        window = self._window(load)
        if window is None or not self._shows_signs(load, window):
            return
        for tellings in _together(self._tellings(load, window)):
            yield list(self._read(load, tellings))

    def _tellings(self, load: str, window: _Window) -> list[dict[str, Any]]:
        """Every telling that a chain of links connects with the batch."""
        found: list[dict[str, Any]] = []
        seen: set[int] = set()
        seeds = [fill(_sql("seeds.sql"), {"load": load})]
        for links in chain(_LIKENESS_ROUNDS * [_LINKS], repeat(_LINKS[:3])):
            rows = [row for one in seeds for row in self._linked(load, window, one)]
            new = [row for row in rows if row["is_old"] and row["span"] not in seen]
            found += rows
            seen.update(row["span"] for row in new)
            if not new:
                break
            window, seeds = _window_of(new), list(_seeds(new, links))
        return found

    def _window(self, load: str) -> _Window | None:
        values = {"load": load, "longest_us": str(_LONGEST_US)}
        [row] = self._store.rows(fill(_sql("window.sql"), values))
        if not row["tellings"]:
            return None
        return _Window(row["from_us"], row["until_us"], row["spans"])

    def _shows_signs(self, load: str, window: _Window) -> bool:
        of_batch = f"FROM tellings WHERE load = {load} AND entry = 'span'"
        values = {
            "spans": f"SELECT span {of_batch}",
            "parents": f"SELECT parent {of_batch} AND parent != 0",
            **window.values,
        }
        [row] = self._store.rows(fill(_sql("signs.sql"), values))
        is_told_again = row["tellings"] > window.spans
        return bool(is_told_again or row["inside"] or row["outside"] or row["is_mixed"])

    def _linked(self, load: str, window: _Window, seeds: str) -> list[dict[str, Any]]:
        values = {
            "load": load,
            "seeds": seeds,
            "has_own_id": any_of([f"startsWith(scope, {quoted(s)})" for s in OWN_IDS]),
            **window.values,
        }
        links = fill(_sql("links.sql"), values)
        if not self._store.rows(f"{links} LIMIT 1"):
            return []
        return self._store.rows(fill(_sql("tellings.sql"), {**values, "links": links}))

    def _read(self, load: str, tellings: list[dict[str, Any]]) -> Iterator[Entry]:
        places = {f"({quoted(row['run_id'])},'{row['at']}')" for row in tellings}
        for chunk in _of_bytes(sorted(places), _QUERY_BYTES):
            values = {
                "columns": ", ".join(self.columns.names),
                "places": ",".join(chunk),
                "load": load,
            }
            sql = fill(_sql("entries.sql"), values)
            text = self._store.raw(sql, fmt="TabSeparated").decode()
            for line in text.split("\n")[:-1]:
                yield self.columns.entry(line)


def _together(tellings: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The tellings in lists of a size to be read at once; linked ones in one list."""
    sets: dict[int, list[dict[str, Any]]] = {}
    for row in tellings:
        links = {row[name] for name in _LINKS} - {0}
        known = {id(sets[link]): sets[link] for link in links if link in sets}
        joined = max(known.values(), key=len, default=[])
        for other in known.values():
            if other is not joined:
                joined.extend(other)
                sets.update({row[n]: joined for row in other for n in _LINKS if row[n]})
        joined.append(row)
        sets.update(dict.fromkeys(links, joined))
    batch: list[dict[str, Any]] = []
    # By run, as the ledger is: then a list is read from few places.
    distinct = {id(linked): linked for linked in sets.values()}.values()
    for linked in sorted(distinct, key=lambda linked: str(linked[0]["run_id"])):
        batch += linked
        if len(batch) >= _PLACES_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _window_of(rows: Sequence[dict[str, Any]]) -> _Window:
    return _Window(
        min(row["start_us"] for row in rows), max(row["end_us"] for row in rows)
    )


def _seeds(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> Iterator[str]:
    """Queries for the links of tellings that were found, to find theirs in turn."""
    links = {row[name] for row in rows for name in names}
    for chunk in _chunks(sorted(links - {0}), _SEEDS_AT_ONCE):
        yield f"SELECT arrayJoin([{','.join(map(str, chunk))}]::Array(UInt64))"


def _of_bytes(texts: Iterable[str], most: int) -> Iterator[list[str]]:
    """Texts in lists that are not longer together."""
    chunk: list[str] = []
    size = 0
    for text in texts:
        size += len(text.encode()) + 1
        if chunk and size > most:
            yield chunk
            chunk, size = [], len(text.encode()) + 1
        chunk.append(text)
    if chunk:
        yield chunk


def _chunks(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def _sql(name: str) -> str:
    return (files(__package__) / "sql" / name).read_text(encoding="utf-8")
