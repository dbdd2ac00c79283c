"""The Native format for drivers that name a protocol revision, as Go's does.

`decode` reads what Go's driver reads: a block info, then columns that have a byte for
custom serialization after their type. It knows the few types that it is asked for.
"""

from __future__ import annotations

import gzip
import struct
from typing import Any

import pytest
from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.ctypes import RespBuffCls
from clickhouse_connect.driver.exceptions import StreamCompleteException
from clickhouse_connect.driver.query import QueryContext

from farthing.collector.web.clickhouse_native import with_revision
from tests.web.conftest import Wire

GO: dict[str, Any] = {
    "default_format": "Native",
    "client_protocol_version": 54460,
    "enable_http_compression": 1,
}
BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"

TYPES = [
    "toUInt8(number)",
    "toString(number)",
    "repeat('x', number * 100)",
    "toNullable(number)",
    "if(number % 2, toString(number), NULL)",
    "toLowCardinality(toString(number % 3))",
    "CAST(if(number % 2, 'a', NULL), 'LowCardinality(Nullable(String))')",
    "range(number)",
    "arrayMap(x -> toLowCardinality(toString(x)), range(number % 3))",
    "arrayMap(x -> range(x), range(number))",
    "map(toString(number), toLowCardinality('v'))",
    "CAST(map(), 'Map(String, Array(Nullable(UInt8)))')",
    "(number, 'a')",
    (
        "CAST((number, 'a', []), "
        "'Tuple(n UInt64, `s t` LowCardinality(String), x Array(DateTime64(3)))')"
    ),
    "toDecimal32(number, 2), toDecimal64(number, 2), toDecimal128(number, 9)",
    "toDecimal256(number, 9)",
    "toDateTime(number, 'UTC'), toDateTime64(number, 9, 'UTC'), toDate(number)",
    "toDate32(number)",
    "CAST('a', 'Enum8(\\'a b\\' = 1, \\'a\\' = 2)')",
    "CAST('a', 'Enum16(\\'(\\' = 1, \\'a\\' = 2)')",
    "toFixedString('abc', 3)",
    "generateUUIDv4(), toIPv4('127.0.0.1'), toIPv6('::1')",
    "toInt128(number), toUInt256(number), toFloat32(number), toBool(number % 2)",
    "NULL, []",
    "toIntervalDay(number)",
]


def decode(native: bytes) -> list[list[Any]]:
    """The values of each column, over all blocks."""
    columns: list[list[Any]] = []
    source = RespBuffCls(Bytes(native))
    while True:
        try:
            assert source.read_bytes(8) == BLOCK_INFO
        except StreamCompleteException:
            return columns
        count, rows = source.read_leb128(), source.read_leb128()
        columns = columns or [[] for _ in range(count)]
        for column in columns:
            source.read_leb128_str()
            kind = get_from_name(source.read_leb128_str())
            assert source.read_byte() == 0
            context = QueryContext()
            context.start_column("c")
            state = kind.read_column_prefix(source, context)
            column += kind.read_column_data(source, rows, context, state)


class Bytes:
    """A byte source as the client's buffer wants it."""

    def __init__(self, data: bytes) -> None:
        self.gen = iter([data])
        self.last_message = None
        self.exception_tag = None

    def close(self) -> None:
        """Nothing to close."""


def test_the_drivers_greeting(reading: Wire) -> None:
    """What Go's driver asks first, in the revision that it names first."""
    reply = reading.send(
        "SELECT displayName(), version(), revision(), timezone()",
        headers={"Accept-Encoding": "gzip"},
        database="ledger",
        **GO,
    )
    assert reply.headers["Content-Encoding"] == "gzip"
    name, version, revision, zone = decode(gzip.decompress(reply.body))
    assert name == [reading.value("SELECT displayName()")]
    assert version[0].split(".")[0] == "26"
    assert revision[0] > 54454
    assert zone == [reply.headers["X-ClickHouse-Timezone"]]


def test_the_drivers_ping_reads_the_columns_name(reading: Wire) -> None:
    """`SELECT 1` has one column named 1."""
    reply = reading.send("SELECT 1", **GO)
    assert (
        reply.body == BLOCK_INFO + b"\x01\x01" + b"\x011\x05UInt8" + b"\x00" + b"\x01"
    )


def test_an_empty_result_has_no_body(reading: Wire) -> None:
    """The driver takes Content-Length 0 for a result without rows."""
    reply = reading.send("SELECT id FROM spans WHERE id < 0", **GO)
    assert reply.headers["Content-Length"] == "0"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT version()",
        "SELECT database, name FROM system.tables ORDER BY database, name",
        (
            "SELECT database, table, name, type, comment FROM system.columns "
            "WHERE (database, table) IN (('ledger', 'spans'))"
        ),
        "SELECT name FROM system.databases",
        'DESCRIBE TABLE "ledger"."spans"',
        "SELECT DISTINCT model FROM ledger.spans SETTINGS max_execution_time=10",
        "SELECT currentDatabase()",
        (
            "SELECT toStartOfInterval(toDateTime(at), INTERVAL 60 second) AS time, "
            "sum(cost) AS cost FROM ledger.spans WHERE at >= toDateTime(1767225600) "
            "GROUP BY time ORDER BY time"
        ),
    ],
)
def test_grafanas_own_queries(reading: Wire, sql: str) -> None:
    """What Grafana's plugin asks by itself and what panels ask is answered."""
    reply = reading.send(sql, limit=1000, **GO)
    assert reply.status == 200, reply.body
    assert decode(reply.body)


def test_grafana_sees_errors_by_their_text(reading: Wire) -> None:
    """The plugin shows the text of a body that begins like ClickHouse's."""
    reply = reading.send("SELECT * FROM nowhere", **GO)
    assert reply.status == 404
    assert reply.body.startswith(b"Code: 60. DB::Exception: ")


@pytest.mark.parametrize("expression", TYPES)
def test_every_type_keeps_its_values(reading: Wire, expression: str) -> None:
    """With a revision a driver decodes the values that it decodes without one."""
    sql = f"SELECT {expression}, 'end' FROM numbers(7) FORMAT Native"
    plain = reading.send(sql, client_protocol_version=0).body
    columns = decode(reading.send(sql, **GO).body)
    assert columns[-1] == ["end"] * 7
    bytes_added = len(BLOCK_INFO) + len(columns)
    assert len(with_revision(plain, 54460)) == len(plain) + bytes_added


def test_many_blocks(reading: Wire) -> None:
    """Each block has its own info."""
    sql = "SELECT number, toString(number) FROM numbers(1000)"
    numbers, texts = decode(reading.send(sql, max_block_size=100, **GO).body)
    assert numbers == list(range(1000))
    assert texts[-1] == "999"


def test_values_are_those_of_the_ledger(reading: Wire) -> None:
    """Times and numbers mean the same in this form."""
    sql = "SELECT id, model, at FROM spans ORDER BY id LIMIT 2"
    ids, models, times = decode(reading.send(sql, **GO).body)
    assert ids == [0, 1]
    assert models == ["m0", "m1"]
    assert times[1].isoformat().startswith("2026-01-01T00:00:01")


def test_older_revisions_have_fewer_additions() -> None:
    """Before 54454 there is only the block info."""
    block = b"\x01\x01\x011\x05UInt8" + struct.pack("<B", 1)
    assert with_revision(block, 54405) == BLOCK_INFO + block


def test_a_type_of_unknown_length_is_refused(reading: Wire) -> None:
    """What cannot be measured is an error that says what to do."""
    sql = "SELECT sumState(number) FROM numbers(3)"
    reply = reading.send(sql, **GO)
    assert (reply.code, reply.status) == (48, 501)
    assert b"cast it" in reply.body
    assert reading.send(sql, default_format="Native").status == 200
