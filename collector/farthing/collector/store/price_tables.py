"""The price book in the ledger: tables of all catalogues, dictionaries of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from farthing.collector.store.client import DENIED, Away, Store
from farthing.collector.store.parts import Parts
from farthing.collector.store.schema import Ddl
from farthing.collector.store.text import sql_file
from farthing.economics.prices.catalogue import Catalogue
from farthing.economics.prices.rates import ABSENT
from farthing.economics.prices.tables import source_of

_Table = tuple[str, Sequence[str], Iterable[Sequence[Any]]]


def write_prices(store: Store, catalogue: Catalogue, *, ddl: Ddl) -> None:
    """Make `catalogue` the one that later calls are priced by.

    The row in `catalogues` comes last: a catalogue that was half written is not held.
    """
    known = store.rows(
        "SELECT argMax(catalogue, loaded_at) AS newest,"
        " countIf(catalogue = {sha256:String}) AS held FROM catalogues",
        {"sha256": catalogue.sha256},
    )[0]
    if not known["held"]:
        parts = Parts(store)
        for table, columns, rows in _tables(catalogue):
            store.insert(table, columns, rows)
        parts.see_whole()
    if known["newest"] != catalogue.sha256:
        store.insert("catalogues", ["catalogue"], [[catalogue.sha256]])
    _read_anew(store, ddl.statements(sql_file("dictionaries.sql")))


def _read_anew(store: Store, dictionaries: Sequence[str]) -> None:
    try:
        for statement in dictionaries:
            store.command(statement)
    except Away as error:
        if error.code not in DENIED:
            raise
        # They log in with the password that the store had when they were made. Not done
        # at every start: a load that is under way does not survive it.
        for statement in dictionaries:
            store.command(
                statement.replace(
                    "CREATE DICTIONARY IF NOT EXISTS", "CREATE OR REPLACE DICTIONARY"
                )
            )


def _tables(catalogue: Catalogue) -> Iterator[_Table]:
    """The content of the price tables of one catalogue."""
    sha256 = catalogue.sha256
    yield (
        "prices",
        [
            "catalogue", "row_id", "provider", "model", "ctx", "slot", "valid_from",
            "valid_to", "thresholds", "rates", "kind", "currency", "origin", "notes",
            "source", "checked_on",
        ],
        [
            [
                sha256, row.row_id, row.provider, row.model, row.ctx, row.slot,
                row.valid_from, row.valid_to - 1, list(row.thresholds),
                [_number(rate) for level in row.levels for rate in level],
                row.kind.value, row.currency, row.origin.value, " ".join(row.notes),
                source_of(row, catalogue),
                row.checked_on or catalogue.rules.base_checked_on,
            ]
            for row in catalogue
        ],
    )  # fmt: skip
    yield (
        "price_ids",
        ["catalogue", "provider", "id", "model", "kind", "dated_ok"],
        [
            [sha256, row.provider, row.id, row.model, row.kind, int(row.dated_ok)]
            for row in catalogue.models.values()
        ],
    )
    yield (
        "tool_fees",
        [
            "catalogue", "provider", "model", "tool", "valid_from", "valid_to",
            "femto_usd", "source", "checked_on",
        ],
        [
            [
                sha256, row.provider, row.model, row.tool, row.valid_from,
                row.valid_to - 1, row.femto_usd,
                row.source or catalogue.rules.base,
                row.checked_on or catalogue.rules.base_checked_on,
            ]
            for row in catalogue.rules.tool_fees
        ],
    )  # fmt: skip


def _number(rate: int | None) -> int:
    return ABSENT if rate is None else rate
