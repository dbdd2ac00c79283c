"""The ordinary clickhouse-connect HTTP client, unmodified, against both servers."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import clickhouse_connect
import lz4.frame
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from farthing.collector.web.clickhouse_compression import zstd
from tests.web.conftest import Wire

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

SCHEMA = 'syntax = "proto3"; message Row { uint64 id = 1; bytes body = 2; }'
AS_PROTOBUF = {
    "format_schema_source": "string",
    "format_schema": SCHEMA,
    "format_schema_message_name": "Row",
}

# The client gives times without a zone.
AT_ONE = dt.datetime(2026, 1, 1, 0, 0, 1, tzinfo=dt.UTC).replace(tzinfo=None)
COMPRESS: dict[str | None, Callable[[bytes], bytes]] = {
    None: bytes,
    "gzip": gzip.compress,
    "zstd": zstd.compress,
    "lz4": lz4.frame.compress,
}


def protobuf_rows(*bodies: bytes) -> bytes:
    """Length-delimited Row messages with ids from 1 on."""
    rows = [
        b"\x08" + bytes([i]) + b"\x12" + bytes([len(body)]) + body
        for i, body in enumerate(bodies, 1)
    ]
    return b"".join(bytes([len(row)]) + row for row in rows)


@pytest.fixture
def writer(writable: Wire) -> Iterator[Client]:
    client = clickhouse_connect.get_client(host="127.0.0.1", port=writable.server.port)
    yield client
    client.close()


@pytest.fixture
def reader(reading: Wire) -> Iterator[Client]:
    client = clickhouse_connect.get_client(
        host="127.0.0.1", port=reading.server.port, database="ledger"
    )
    yield client
    client.close()


@pytest.fixture
def table(writer: Client) -> str:
    writer.command("DROP TABLE IF EXISTS rows SYNC")
    writer.command(
        "CREATE TABLE rows (id UInt64, body String) ENGINE = MergeTree ORDER BY id "
        "SETTINGS non_replicated_deduplication_window = 100"
    )
    return "rows"


def test_a_query_gives_typed_rows(reader: Client) -> None:
    """Decimals, times and dictionary-encoded texts arrive as themselves."""
    result = reader.query("SELECT * FROM spans ORDER BY id LIMIT 2")
    assert result.column_names == ("id", "model", "cost", "at", "tags")
    assert result.result_rows[1] == (
        1,
        "m1",
        Decimal("0.125000000"),
        AT_ONE,
        {"n": "1"},
    )


def test_data_frames_and_arrow_tables(reader: Client) -> None:
    """Both columnar results hold what the rows hold."""
    frame = reader.query_df("SELECT id, model FROM spans ORDER BY id")
    assert frame["id"].sum() == 499500
    arrow = reader.query_arrow("SELECT id, cost FROM spans ORDER BY id")
    assert arrow.num_rows == 1000
    assert arrow.column("cost")[1].as_py() == Decimal("0.125")


def test_parameters_are_bound_by_the_server(reader: Client) -> None:
    """Texts with quotes, lists and times pass as parameters."""
    row = reader.query(
        "SELECT {a:String}, {b:Array(UInt8)}, {c:DateTime}, {d:Nullable(String)}",
        parameters={
            "a": "it's \\ a\ttab\nand `more`",
            "b": [1, 2],
            "c": AT_ONE,
            "d": None,
        },
    ).result_rows[0]
    assert row[0] == "it's \\ a\ttab\nand `more`"
    assert row[1:] == ([1, 2], AT_ONE, None)


def test_long_parameters_come_in_a_form(reading: Wire) -> None:
    """A client that sends statement and parameters as a form gets the same answer."""
    client = clickhouse_connect.get_client(
        host="127.0.0.1", port=reading.server.port, form_encode_query_params=True
    )
    text = "é" * 20_000
    row = client.query("SELECT {a:String}", parameters={"a": text}).first_row
    client.close()
    assert row == (text,)


def test_settings_apply_to_one_request_only(reader: Client) -> None:
    """A setting that came with one query is gone in the next."""
    sql = "SELECT getSetting('session_timezone')"
    asked = {"session_timezone": "Asia/Tokyo"}
    assert reader.query(sql, settings=asked).first_row == ("Asia/Tokyo",)
    assert reader.query(sql).first_row == ("",)


def test_a_wrong_setting_is_told_apart(reader: Client, reading: Wire) -> None:
    """The client knows from system.settings that limits may be sent."""
    row = reader.query("SELECT getSetting('max_threads')", settings={"max_threads": 1})
    assert row.first_row == (1,)
    assert reading.send("SELECT 1", allow_ddl=1).code == 164
    assert reading.send("SELECT 1", no_such_setting=1).code == 164


def test_commands_and_raw_queries(reader: Client) -> None:
    """A command gives its value, a raw query the bytes of its format."""
    assert reader.command("SELECT count() FROM spans") == 1000
    assert reader.command("SHOW TABLES") == "models\nnames\nspans"
    assert reader.raw_query("SELECT 1 AS a", fmt="CSVWithNames") == b'"a"\n1\n'
    assert reader.command("EXISTS TABLE spans") == 1


def test_results_are_streamed_in_blocks(reader: Client) -> None:
    """The client's streaming calls work on the answer."""
    with reader.query_row_block_stream("SELECT number FROM numbers(70000)") as blocks:
        assert sum(len(block) for block in blocks) == 70000
    with reader.raw_stream("SELECT number FROM numbers(3)", fmt="CSV") as stream:
        assert stream.read() == b"0\n1\n2\n"


def test_no_rows_and_no_columns(reader: Client) -> None:
    """A result without rows is a result; LIMIT 0 tells its columns."""
    assert reader.query("SELECT id FROM spans WHERE id < 0").result_rows == []
    assert reader.query("SELECT id, cost FROM spans LIMIT 0").column_names == (
        "id",
        "cost",
    )


@pytest.mark.parametrize("compress", [False, "gzip", "zstd", "lz4"])
def test_every_compression_the_client_has(reading: Wire, compress: Any) -> None:
    """Whatever compression the client asks for, the rows are the same."""
    client = clickhouse_connect.get_client(
        host="127.0.0.1", port=reading.server.port, compress=compress
    )
    rows = client.query("SELECT number, toString(number) FROM numbers(50000)")
    client.close()
    assert rows.row_count == 50000
    assert rows.result_rows[-1] == (49999, "49999")


@pytest.mark.parametrize(
    ("sql", "code", "name"),
    [
        ("SELECT * FROM nowhere", 60, "UNKNOWN_TABLE"),
        ("SELECT nothing FROM spans", 47, "UNKNOWN_IDENTIFIER"),
        ("SELEC 1", 62, "SYNTAX_ERROR"),
        ("SELECT noSuchFunction()", 46, "UNKNOWN_FUNCTION"),
        ("SELECT 1 FORMAT NoSuchFormat", 73, "UNKNOWN_FORMAT"),
        ("SELECT toUInt8('x')", 6, "CANNOT_PARSE_TEXT"),
        ("DROP TABLE spans", 164, "READONLY"),
        ("SELECT * FROM file('x')", 497, "ACCESS_DENIED"),
    ],
)
def test_errors_carry_code_and_name(
    reader: Client, sql: str, code: int, name: str
) -> None:
    """The client's exception has the engine's code and name."""
    with pytest.raises(DatabaseError) as caught:
        reader.command(sql)
    assert (caught.value.code, caught.value.name) == (code, name)


def test_rows_are_inserted(writer: Client, table: str) -> None:
    """`insert` writes typed rows in the Native format."""
    summary = writer.insert(table, [[1, "a"], [2, "b\n;"]], column_names=["id", "body"])
    assert summary.written_rows == 2
    rows = writer.query(f"SELECT * FROM {table} ORDER BY id").result_rows
    assert rows == [(1, "a"), (2, "b\n;")]


@pytest.mark.parametrize("compression", list(COMPRESS))
def test_a_segment_counts_once(
    writer: Client, table: str, compression: str | None
) -> None:
    """Protobuf by a schema in the settings; the same token twice counts once."""
    block = protobuf_rows(b"a", b"\n;DROP TABLE rows;\n", b"\x00\xff'")
    block = COMPRESS[compression](block)
    for _ in range(2):
        writer.raw_insert(
            table,
            ["id", "body"],
            block,
            fmt="Protobuf",
            compression=compression,
            settings={**AS_PROTOBUF, "insert_deduplication_token": "segment-1"},
        )
    rows = writer.query(f"SELECT id, body FROM {table} ORDER BY id").result_rows
    assert [row[0] for row in rows] == [1, 2, 3]
    assert rows[1][1] == "\n;DROP TABLE rows;\n"


def test_a_large_binary_insert(writer: Client, table: str) -> None:
    """Megabytes that look like statements are data."""
    bodies = [b"\n;SELECT 1; INSERT INTO rows VALUES (1)\n"] * 120
    block = protobuf_rows(*bodies) * 1000
    assert len(block) > 5_000_000
    summary = writer.raw_insert(
        table, None, block, fmt="Protobuf", settings=AS_PROTOBUF
    )
    assert summary.written_rows == 120_000
    assert writer.command(f"SELECT count() FROM {table}") == 120_000


def test_inserts_by_statement(writer: Client, table: str) -> None:
    """VALUES, SELECT and text formats with the data in the statement."""
    writer.command(f"INSERT INTO {table} VALUES (1, 'a;b'), (2, 'FORMAT x')")
    writer.command(f"INSERT INTO {table} SELECT number, '' FROM numbers(3)")
    writer.command(f"INSERT INTO {table} (id) FORMAT CSV", data="7\n8\n")
    assert writer.command(f"SELECT count() FROM {table}") == 7


def test_what_was_not_inserted_is_told(writer: Client, table: str) -> None:
    """A body that is not of the format is an error with the engine's code."""
    with pytest.raises(DatabaseError) as caught:
        writer.raw_insert(table, ["id"], b"x\n", fmt="CSV")
    assert caught.value.code == 117
    with pytest.raises(DatabaseError) as caught:
        writer.raw_insert("nowhere", ["id"], b"1\n", fmt="CSV")
    assert caught.value.code == 60
    assert writer.command(f"SELECT count() FROM {table}") == 0


def test_databases_are_the_requests_own(writer: Client, writable: Wire) -> None:
    """`database` of one client does not become that of the next."""
    writer.command("CREATE DATABASE IF NOT EXISTS other")
    other = clickhouse_connect.get_client(
        host="127.0.0.1", port=writable.server.port, database="other"
    )
    assert other.command("SELECT currentDatabase()") == "other"
    assert writer.command("SELECT currentDatabase()") == "default"
    other.close()


def test_settings_do_not_stay_behind_in_the_writable_server(writer: Client) -> None:
    """Settings of an insert, known or not, do not reach the next request."""
    sql = "SELECT getSetting('max_block_size')"
    assert writer.query(sql, settings={"max_block_size": 123}).first_row == (123,)
    assert writer.query(sql).first_row != (123,)
