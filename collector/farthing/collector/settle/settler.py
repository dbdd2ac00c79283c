"""Corrects the ledger after a load, so that each call is counted once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from farthing.collector.settle.entries import Columns, Entry, Fields
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
}
_OWN: Final = (
    "entry", "reason", "owner_trace_id", "owner_span_id", "load", "ingested_at",
)  # fmt: skip


class _Correction(NamedTuple):
    """An entry to be written."""

    reason: str
    owner: Key
    sign: int
    fields: Fields
    now: str


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
        entries = self._finder.entries(batch_name)
        if entries:
            corrections = list(self._corrections(entries, batch_name))
            if corrections:
                self._write(corrections, batch_name)

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
            yield from self._settled(call, of_span)

    def _settled(
        self, call: Sequence[Telling], of_span: dict[Key, list[Entry]]
    ) -> Iterator[_Correction]:
        """What is to be written so that the owner's entry is the one in force."""
        columns = self._finder.columns
        owner, *others = ranked(call)
        told = wanted = owner.entry.fields
        if others and not columns.is_nothing(told):
            wanted = columns.changed(told, completed(owner, others, self._catalogue))
        for telling in call:
            entries = of_span[telling.key]
            in_force, now = _in_force(entries), entries[0].now
            aim: Counter[Fields] = Counter()
            if telling is owner:
                aim[_as_repriced(wanted, told, in_force, columns)] = 1
            for count, fields in enumerate((in_force - aim).elements()):
                reason = "duplicate"
                if telling is owner:
                    reason = "repeated" if count or wanted == told else "completed"
                yield _Correction(reason, owner.key, -1, fields, now)
            for fields in (aim - in_force).elements():
                reason = "restored" if wanted == told else "completed"
                yield _Correction(reason, owner.key, 1, fields, now)

    def _write(self, corrections: Iterable[_Correction], batch_name: str) -> None:
        columns = self._finder.columns
        lines = ["\t".join((*_OWN, *columns.names))]
        for reason, owner, sign, fields, now in corrections:
            if columns.is_nothing(fields):
                continue
            own = ("correction", reason, *owner, _escaped(batch_name), now)
            lines.append("\t".join((*own, columns.line(fields, sign=sign))))
        if len(lines) > 1:
            token = f"{batch_name}:settled"
            self._store.insert_bytes(
                "spans",
                "".join(f"{line}\n" for line in lines).encode(),
                fmt="TabSeparatedWithNames",
                settings={**_INSERT_SETTINGS, "insert_deduplication_token": token},
            )


def _in_force(entries: Iterable[Entry]) -> Counter[Fields]:
    """What the entries of a span come to: those that none takes back."""
    counts: Counter[Fields] = Counter()
    for entry in entries:
        counts[entry.fields] += entry.sign
    return +counts


def _as_repriced(
    wanted: Fields, told: Fields, in_force: Iterable[Fields], columns: Columns
) -> Fields:
    """What is wanted, at the price that it was given since."""
    if wanted in in_force:
        return wanted
    others = (fields for fields in in_force if wanted == told or fields != told)
    aim = columns.but_for_price(wanted)
    return next((f for f in others if columns.but_for_price(f) == aim), wanted)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
