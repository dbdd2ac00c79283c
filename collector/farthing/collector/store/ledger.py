"""The ledger, ready to be written: schema, price book, and the way of one batch in."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from farthing.collector.dialects import all_dialects
from farthing.collector.store.client import DENIED, Away, Store
from farthing.collector.store.decode import Decoder
from farthing.collector.store.price_tables import write_prices
from farthing.collector.store.retention import Retention, retain
from farthing.collector.store.schema import Ddl, migrate, migrations
from farthing.collector.store.text import fill, quoted, sql_file
from farthing.economics.prices.catalogue import Catalogue
from farthing.errors import ConfigError

STRUCTURE: Final = sql_file("request.structure")
"""What `request.proto` becomes in ClickHouse: names are dictionary-encoded as they are
parsed, so what depends on a name alone is computed once per block; an absent number
must not look like 0, hence Nullable."""

_INSERT_SETTINGS: Final = {
    "format_schema_message_name": "Request",
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "max_partitions_per_insert_block": 0,
    # However many blocks are read, one is written.
    "min_insert_block_size_rows": 1 << 40,
    "min_insert_block_size_bytes": 0,
    # An insert that is answered is on the disk, whatever the server's profile says.
    "async_insert": 0,
    "distributed_foreground_insert": 1,
    # Planning the decode costs as much as decoding ten thousand spans: this halves it.
    "query_plan_merge_expressions": 0,
    # Reading the next part of a batch while one is decoded; views side by side.
    "max_threads": 2,
    "parallel_view_processing": 1,
    # The embedded engine would map the batch's file, which is then resident memory.
    "storage_file_read_method": "pread",
}
SCHEMA_AS_TEXT: Final = {
    "format_schema_source": "string",
    "format_schema": sql_file("request.proto"),
}
_SCHEMA_AS_FILE: Final = {
    "format_schema_source": "file",
    "format_schema": str(files(__package__) / "sql" / "request.proto"),
}
"""What the embedded engine is given: text it would write to the working directory."""

_CLOCKS_DIFFER_S: Final = 3600

_READ_BYTES: Final = 8 * 1024**2
"""How much is decoded at once: what the memory of a load follows from.

A batch that is inserted again is known by its name and by how it was cut: never change
this, or one that was under way at an upgrade counts twice.
"""


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
        self._schema = _SCHEMA_AS_FILE if store.embedded else SCHEMA_AS_TEXT

    def open(
        self,
        *,
        retention_days: int | None,
        runs_retention_days: int | None = None,
        spend_retention_days: int | None = None,
    ) -> None:
        """Bring schema and price book up to date.

        None keeps the rows of a table for good. Raises ConfigError where the operator
        must act, StoreUnavailable where the store does not answer.
        """
        retention = Retention(retention_days, runs_retention_days, spend_retention_days)
        try:
            migrate(self.store, ddl=self._ddl, known=migrations())
            retain(self.store, retention, ddl=self._ddl)
            self.use_prices(self.catalogue)
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
        self._insert = self._statement(Decoder(all_dialects(), catalogue.rules))

    def _statement(self, decoder: Decoder) -> str:
        """The INSERT of a batch; what is left to fill in is its own."""
        decode = decoder.statement("{{source}}", as_of_ns="{{as_of_ns}}")
        decoding = hashlib.sha256(decode.encode()).hexdigest()[:12]
        own = {"settings": "{{settings}}"}
        parts = {**own, "decoding": quoted(decoding), "decode": decode}
        return fill(sql_file("insert.sql"), parts)

    def load(self, name: str, requests: Sequence[bytes]) -> None:
        """Insert requests as one block that counts once, however often it is sent."""
        own = {"insert_deduplication_token": name, "log_comment": name}
        as_of_s = named_at_s(name)
        if as_of_s is None:
            as_of_s = int(time.time())
        self._load(requests, own, as_of_s=as_of_s)

    def has_entries_of(self, name: str) -> bool:
        """Whether any entry of the batch of this name is in the ledger."""
        which = {"which": of_batches([name])}
        found = fill("SELECT 1 FROM spans WHERE {{which}} LIMIT 1", which)
        return bool(self.store.rows(found))

    def try_out(self) -> None:
        """Insert a request that leaves no entry: raises if the store takes none."""
        self._load([_NO_GENAI_SPAN], {}, as_of_s=0)

    def _load(
        self, requests: Sequence[bytes], own: Mapping[str, str], *, as_of_s: int
    ) -> None:
        at_once = _READ_BYTES * len(requests) // max(sum(map(len, requests)), 1)
        settings = {
            **_INSERT_SETTINGS,
            **self._schema,
            "max_block_size": max(at_once, 1),
            "max_insert_block_size": max(at_once, 1),
            **own,
        }
        values = ", ".join(f"{k} = {quoted(str(v))}" for k, v in settings.items())
        as_of = f"{as_of_s * 10**9}::Int64"
        kept = {"source": "{{source}}"}
        statement = fill(self._insert, {"settings": values, "as_of_ns": as_of, **kept})
        self.store.insert_read(statement, delimited(requests), structure=STRUCTURE)


def named_at_s(name: str) -> int | None:
    """When a batch was named, which its name begins with; None for one of another kind.
    What is inserted again, days later, must be what it was: a time of its own would put
    an entry into another partition, where it is not known."""
    try:
        moment = datetime.strptime(name[:16], "%Y%m%dT%H%M%SZ")  # noqa: DTZ007 - Z
    except ValueError:
        return None
    return int(moment.replace(tzinfo=UTC).timestamp())


def of_batches(names: Iterable[str]) -> str:
    """The condition that entries of `spans` are of these batches. What was loaded
    before them is not looked at."""
    names = list(names)
    listed = f"load IN ({', '.join(map(quoted, names))})"
    since_s = loaded_since_s(names)
    return listed if since_s is None else f"{listed} AND {loaded_since(since_s)}"


def loaded_since_s(names: Sequence[str]) -> int | None:
    """Since when entries of these batches were loaded: an hour before the first was
    named, as clocks are set by less; None where that is not known. Unix time."""
    named_s = [named_at_s(name) for name in names]
    known_s = [moment for moment in named_s if moment is not None]
    if not known_s or len(known_s) < len(named_s):
        return None
    return min(known_s) - _CLOCKS_DIFFER_S


def loaded_since(since_s: int) -> str:
    """The condition that entries of `spans` were loaded since a moment. It passes over
    parts that are older, which reading by run alone does not."""
    return f"ingested_at >= toDateTime({since_s}, 'UTC')"


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
