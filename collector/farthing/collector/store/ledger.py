"""The ledger, ready to be written: schema, price book, and the way of one batch in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from farthing.collector.dialects import all_dialects
from farthing.collector.store.client import DENIED, UNKNOWN_TABLE, Away, Store
from farthing.collector.store.decode import Decoder
from farthing.collector.store.intake import Intake
from farthing.collector.store.price_tables import write_prices
from farthing.collector.store.retention import Retention, retain
from farthing.collector.store.schema import Ddl, migrate, migrations
from farthing.collector.store.text import sql_file
from farthing.economics.prices.catalogue import Catalogue
from farthing.errors import ConfigError

INSERT_SETTINGS: Final = {
    "format_schema_message_name": "Request",
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "max_partitions_per_insert_block": 0,
    # An insert that is answered is on the disk, whatever the server's profile says.
    "async_insert": 0,
    "distributed_foreground_insert": 1,
    # Planning the decode costs as much as decoding ten thousand spans: this halves it.
    "query_plan_merge_expressions": 0,
    "max_threads": 1,
}
SCHEMA_AS_TEXT: Final = {
    "format_schema_source": "string",
    "format_schema": sql_file("request.proto"),
}
SCHEMA_AS_FILE: Final = {
    "format_schema_source": "file",
    "format_schema": str(files(__package__) / "sql" / "request.proto"),
}
"""What the embedded engine is given: text it would write to the working directory."""


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
        self.catalogue = catalogue
        self._schema = SCHEMA_AS_FILE if store.embedded else SCHEMA_AS_TEXT

    def open(
        self,
        *,
        retention_days: int | None,
        runs_retention_days: int | None = None,
        spend_retention_days: int | None = None,
    ) -> None:
        """Bring schema, price book and intake up to date.

        None keeps the rows of a table for good. Raises ConfigError where the operator
        must act, StoreUnavailable where the store does not answer.
        """
        retention = Retention(retention_days, runs_retention_days, spend_retention_days)
        try:
            migrate(self.store, ddl=self._ddl, known=migrations())
            retain(self.store, retention, ddl=self._ddl)
            self.use_prices(self.catalogue)
            self._intake.drop_old()
        except Away as error:
            if error.code not in DENIED:
                raise
            raise ConfigError(
                f"the store does not let the collector do its work: {error}. Check user"
                " and password in FARTHING_STORE, and what the user is granted"
            ) from error
        self.store.release_memory()

    def use_prices(self, catalogue: Catalogue) -> None:
        """Price what is loaded from now on by `catalogue`; entries stay as they are."""
        self.catalogue = catalogue
        write_prices(self.store, catalogue, ddl=self._ddl)
        decoder = Decoder(all_dialects(), catalogue.rules)
        self._intake = Intake(self.store, self._ddl, decoder)
        self._table = self._intake.table()
        self._is_certain = False

    def load(self, name: str, requests: Iterable[bytes]) -> None:
        """Insert requests as one block that counts once, however often it is sent."""
        data = b"".join(delimited(requests))
        own = {"insert_deduplication_token": name, "log_comment": name}
        # The first after a start or a failure may have been loaded, wholly or in part.
        came_by = None if self._is_certain else self._intake.brought(name)
        self._is_certain = False
        try:
            self._insert(data, own, table=came_by or self._table)
        except Away as error:
            if error.code != UNKNOWN_TABLE:
                raise
            # A batch in the ledger whose way in is gone by now is a day old, and whole.
            if came_by is None:
                self._table = self._intake.make()
                self._insert(data, own, table=self._table)
        self._is_certain = True
        self.store.release_memory()

    def has_entries_of(self, name: str) -> bool:
        """Whether any entry of the batch of this name is in the ledger."""
        return self._intake.brought(name) is not None

    def try_out(self) -> None:
        """Insert a request that leaves no entry: raises if the store takes none."""
        data = b"".join(delimited([_NO_GENAI_SPAN]))
        self._insert(data, {}, table=self._table)

    def _insert(self, data: bytes, own: dict[str, Any], *, table: str) -> None:
        settings = {**INSERT_SETTINGS, **self._schema, **own}
        self.store.insert_bytes(table, data, fmt="Protobuf", settings=settings)


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
