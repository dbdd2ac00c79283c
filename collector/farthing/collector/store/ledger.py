"""The ledger, ready to be written: schema, price book, and the way of one batch in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from farthing.collector.dialects import all_dialects
from farthing.collector.store.client import Refused, Store
from farthing.collector.store.decode import Decoder
from farthing.collector.store.schema import Ddl, migrate, migrations
from farthing.collector.store.text import fill, sql_file
from farthing.economics.prices.catalogue import Catalogue
from farthing.economics.prices.rates import ABSENT

_UNKNOWN_TABLE: Final = 60
_DICTIONARIES: Final = ("price_rates", "price_keys", "price_models", "price_fees")


class Ledger:
    """Writes batches of OTLP requests to a store.

    `open` before anything else; then `load` as often as there are batches, from one
    thread. Errors are those of `Store`; `load` may be repeated with the same name.
    """

    def __init__(
        self, store: Store, catalogue: Catalogue, *, cluster: str = ""
    ) -> None:
        self.store = store
        self._ddl = Ddl(store.address, cluster)
        self._catalogue = catalogue
        self._intake = ""
        self._insert_settings = {
            "format_schema_source": "string",
            "format_schema": sql_file("request.proto"),
            "format_schema_message_name": "Request",
            "deduplicate_blocks_in_dependent_materialized_views": 1,
            "max_partitions_per_insert_block": 0,
        }

    def open(self, *, retention_days: int) -> None:
        """Bring schema, price book and intake up to date. Raises ConfigError."""
        migrate(self.store, ddl=self._ddl, known=migrations())
        self.store.command(
            f"ALTER TABLE spans{self._ddl.values['local']}"
            f" {self._ddl.values['on_cluster']}"
            f" MODIFY TTL ingested_at + INTERVAL {retention_days:d} DAY"
        )
        self.use_prices(self._catalogue)

    def use_prices(self, catalogue: Catalogue) -> None:
        """Price what is loaded from now on by `catalogue`; entries stay as they are."""
        self._catalogue = catalogue
        self._write_prices()
        for name in _DICTIONARIES:
            self.store.command(f"SYSTEM RELOAD DICTIONARY {name}")
        self._make_intake()

    def load(self, name: str, requests: Iterable[bytes]) -> None:
        """Insert requests as one block that counts once, however often it is sent."""
        data = b"".join(delimited(requests))
        settings = {
            **self._insert_settings,
            "insert_deduplication_token": name,
            "log_comment": name,
        }
        try:
            self._insert(data, settings)
        except Refused as error:
            if error.code != _UNKNOWN_TABLE:
                raise
            self._make_intake()
            self._insert(data, settings)

    def has_entries_of(self, name: str) -> bool:
        """Whether any entry of the batch of this name is in the ledger."""
        found = self.store.rows(
            "SELECT 1 FROM spans WHERE load = {name:String} LIMIT 1", {"name": name}
        )
        return bool(found)

    def try_out(self) -> None:
        """Insert a request that leaves no entry: raises if the store takes none."""
        self._insert(b"".join(delimited([_NO_GENAI_SPAN])), self._insert_settings)

    def _insert(self, data: bytes, settings: dict[str, Any]) -> None:
        self.store.insert_bytes(self._intake, data, fmt="Protobuf", settings=settings)

    def _make_intake(self) -> None:
        """Create the table and the view of this program's decoding, if they are new."""
        decode = Decoder(all_dialects(), self._catalogue.rules)
        text = sql_file("intake.sql") + decode.statement("intake")
        self._intake = f"intake_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        own = {"intake": self._intake, "decode": decode.statement(self._intake)}
        for statement in self._ddl.statements(sql_file("intake.sql"), own):
            self.store.command(statement)

    def _write_prices(self) -> None:
        catalogue = self._catalogue
        known = self.store.rows(
            "SELECT argMax(catalogue, loaded_at) AS newest,"
            " countIf(catalogue = {sha256:String}) AS held FROM catalogues",
            {"sha256": catalogue.sha256},
        )[0]
        if known["newest"] == catalogue.sha256:
            return
        if not known["held"]:
            for table, columns, rows in _tables(catalogue):
                self.store.insert(table, columns, rows)
        self.store.insert(
            "catalogues",
            ["catalogue", "loaded_at"],
            [[catalogue.sha256, datetime.now(UTC)]],
        )


def delimited(requests: Iterable[bytes]) -> Iterator[bytes]:
    """Each request behind its length as a varint: ClickHouse's Protobuf format."""
    for request in requests:
        yield _varint(len(request))
        yield request


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _no_genai_span() -> bytes:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.name = "farthing.probe"
    return request.SerializeToString()


_NO_GENAI_SPAN: Final = _no_genai_span()

_Table = tuple[str, list[str], Sequence[Sequence[Any]]]


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
                _utc(row.valid_from), _utc(row.valid_to - 1), list(row.thresholds),
                [ABSENT if rate is None else rate for level in row.levels for rate in level],
                row.kind.value, row.currency, row.origin.value, " ".join(row.notes),
                row.source, row.checked_on,
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
                sha256, row.provider, row.model, row.tool, _utc(row.valid_from),
                _utc(row.valid_to - 1), row.femto_usd, row.source, row.checked_on,
            ]
            for row in catalogue.rules.tool_fees
        ],
    )  # fmt: skip


def _utc(epoch_s: int) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)
