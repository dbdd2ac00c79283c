"""Corrects the ledger after a load, so that each call is counted once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from farthing.collector.settle.entries import Entry, Fields, escaped
from farthing.collector.settle.find import Finder
from farthing.collector.settle.groups import calls
from farthing.collector.settle.owner import completed, ranked
from farthing.collector.settle.telling import Key, Telling, told_once
from farthing.collector.store.client import Store
from farthing.economics.prices import Catalogue

_INSERT_SETTINGS: Final = {
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "max_partitions_per_insert_block": 0,
    "async_insert": 0,
    "distributed_foreground_insert": 1,
    # A batch that is repeated must fall into the same blocks.
    "input_format_parallel_parsing": 0,
}
_OWN: Final = (
    "entry", "reason", "owner_trace_id", "owner_span_id", "load", "ingested_at",
)  # fmt: skip


class _Correction(NamedTuple):
    """An entry to be written."""

    reason: str
    owner: Telling
    sign: int
    fields: Fields


class Settler:
    """Settles what a batch told again. Called after each load, on its thread.

    What it writes follows from the ledger and the batch alone, under a name of the
    batch: a batch may be settled again at any time. Errors are those of `Store`.
    """

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue
        self._finder = Finder(store)

    def use_prices(self, catalogue: Catalogue) -> None:
        """Price by `catalogue` what is completed from now on."""
        self._catalogue = catalogue

    def __call__(self, batch_name: str, /) -> None:
        """Correct what the batch of this name told that was told before, or after."""
        lines = [
            line
            for entries in self._finder.entries(batch_name)
            for correction in self._corrections(entries, batch_name)
            for line in self._lines(correction, batch_name)
        ]
        if lines:
            self._write(lines, batch_name)

    def _corrections(
        self, entries: Sequence[Entry], batch_name: str
    ) -> Iterator[_Correction]:
        columns = self._finder.columns
        of_span: dict[Key, list[Entry]] = defaultdict(list)
        tellings = []
        for entry in entries:
            telling = Telling(entry, columns)
            of_span[telling.key].append(entry)
            if entry.is_told:
                tellings.append(telling)
        new = {t.key for t in tellings if t.entry.load == batch_name}
        for call in calls(told_once(tellings), touched=new):
            if len(call) > 1 or len(of_span[call[0].key]) > 1:
                yield from self._settled(call, of_span)

    def _settled(
        self, call: Sequence[Telling], of_span: Mapping[Key, Sequence[Entry]]
    ) -> Iterator[_Correction]:
        """What is to be written so that the owner's entry is the one in force."""
        if any(
            entry.owner[1] and entry.owner not in of_span
            for telling in call
            for entry in of_span[telling.key]
        ):
            return  # Settled with what was not found this time: better left alone.
        owner, *others = ranked(call)
        for telling in others:
            for fields in _in_force(of_span[telling.key]):
                yield _Correction("duplicate", owner, -1, fields)
        yield from self._owned(owner, self._wanted(owner, others), of_span[owner.key])

    def _owned(
        self, owner: Telling, wanted: Fields, entries: Sequence[Entry]
    ) -> Iterator[_Correction]:
        """What puts the wanted fields in force, and nothing else of the owner."""
        told, in_force = owner.entry.fields, _in_force(entries)
        kept = next((f for f in in_force if self._says(f, wanted, told=told)), None)
        if kept is not None:
            in_force.remove(kept)
        for count, fields in enumerate(in_force):
            is_first = kept is None and count == 0
            yield _Correction(
                "completed" if is_first else "repeated", owner, -1, fields
            )
        if kept is None:
            reason = "restored" if wanted == told else "completed"
            yield _Correction(reason, owner, 1, wanted)

    def _wanted(self, owner: Telling, others: Sequence[Telling]) -> Fields:
        """The owner's entry with what the others add to it."""
        columns, told = self._finder.columns, owner.entry.fields
        if not others or columns.is_nothing(told):
            return told
        changes = completed(owner, others, self._catalogue)
        return columns.changed(told, changes) if changes else told

    def _says(self, fields: Fields, wanted: Fields, *, told: Fields) -> bool:
        """Whether these are the wanted ones, perhaps at a price given since."""
        if fields == wanted:
            return True
        if fields == told:
            return False
        columns = self._finder.columns
        return columns.but_for_price(fields) == columns.but_for_price(wanted)

    def _lines(self, correction: _Correction, batch_name: str) -> Iterator[str]:
        """The correction as text; none where it would change no sum."""
        reason, owner, sign, fields = correction
        columns = self._finder.columns
        if not columns.is_nothing(fields):
            own = (
                "correction",
                reason,
                *owner.key,
                escaped(batch_name),
                owner.entry.now,
            )
            yield "\t".join((*own, columns.line(fields, sign=sign)))

    def _write(self, lines: Sequence[str], batch_name: str) -> None:
        head = "\t".join((*_OWN, *self._finder.columns.names))
        token = f"{batch_name}:settled"
        self._store.insert_bytes(
            "spans",
            "\n".join((head, *lines, "")).encode(),
            fmt="TabSeparatedWithNames",
            settings={**_INSERT_SETTINGS, "insert_deduplication_token": token},
        )


def _in_force(entries: Sequence[Entry]) -> list[Fields]:
    """What the entries of a span come to: those that none takes back."""
    if len(entries) == 1:
        return [entries[0].fields]
    counts: Counter[Fields] = Counter()
    for entry in sorted(entries, key=lambda entry: entry.fields):
        counts[entry.fields] += entry.sign
    return list((+counts).elements())
