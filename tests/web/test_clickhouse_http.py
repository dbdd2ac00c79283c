"""The interface as curl sees it: parameters, formats, compression, credentials."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import lz4.frame
import pytest

from farthing.collector.web.clickhouse_compression import (
    from_frames,
    to_frames,
    zstd,
)
from tests.clickhouse_server import clickhouse_server
from tests.web.conftest import Wire


def test_ping_and_status(reading: Wire) -> None:
    """Health checks answer without a statement."""
    for path in ("/ping", "/replicas_status", "/"):
        assert reading.send(method="GET", path=path).body == b"Ok.\n"
    assert reading.send(method="GET", path="/nowhere").status == 404
    assert reading.send("SELECT 1", method="PUT").status == 405


def test_the_statement_is_parameter_and_body(reading: Wire) -> None:
    """GET and POST; with both, the parameter comes first and a line break between."""
    assert reading.send(method="GET", query="SELECT 1").body == b"1\n"
    assert reading.send("SELECT 2").body == b"2\n"
    assert reading.send(", 3", query="SELECT 1").body == b"1\t3\n"
    assert reading.send(", 3", query="SELECT 1 -- one").body == b"1\t3\n"


def test_an_answer_says_what_it_is(reading: Wire) -> None:
    """Headers name format, query, server, time zone and cost."""
    reply = reading.send("SELECT count() FROM spans", query_id="mine")
    assert reply.headers["X-ClickHouse-Format"] == "TabSeparated"
    assert reply.headers["X-ClickHouse-Query-Id"] == "mine"
    assert reply.headers["X-ClickHouse-Timezone"] == reading.value("SELECT timezone()")
    assert reply.headers["X-ClickHouse-Server-Display-Name"] == reading.value(
        "SELECT displayName()"
    )
    summary = json.loads(reply.headers["X-ClickHouse-Summary"])
    assert summary["result_rows"] == "1"
    assert int(summary["elapsed_ns"]) > 0


def test_a_query_id_cannot_break_a_header(reading: Wire) -> None:
    """What a header cannot hold is replaced."""
    reply = reading.send("SELECT 1", query_id="a\r\nSet-Cookie: b")
    assert reply.status == 200
    assert reply.headers["X-ClickHouse-Query-Id"] == "a??Set-Cookie:?b"


@pytest.mark.parametrize(
    ("fmt", "content_type", "body"),
    [
        ("CSV", "text/csv", b'1,"x"\n'),
        ("TSVWithNames", "text/tab-separated-values", b"a\tb\n1\tx\n"),
        ("JSONEachRow", "application/x-ndjson", b'{"a":1,"b":"x"}\n'),
        ("JSONCompactEachRow", "", b'[1, "x"]\n'),
        (
            "RowBinaryWithNamesAndTypes",
            "application/octet-stream",
            b"\x02\x01a\x01b\x05UInt8\x06String\x01\x01x",
        ),
        ("Native", "application/octet-stream", None),
        ("Arrow", "application/octet-stream", None),
        ("Parquet", "application/octet-stream", None),
        ("Null", "text/plain", b""),
    ],
)
def test_a_format_can_be_named_in_three_places(
    reading: Wire, fmt: str, content_type: str, body: bytes | None
) -> None:
    """FORMAT in the statement, `default_format` and a header mean the same."""
    sql = "SELECT 1 AS a, 'x' AS b"
    replies = [
        reading.send(f"{sql} FORMAT {fmt}", default_format="XML"),
        reading.send(sql, default_format=fmt),
        reading.send(sql, headers={"X-ClickHouse-Format": fmt}),
    ]
    for reply in replies:
        assert reply.headers["X-ClickHouse-Format"] == fmt
        assert reply.headers["Content-Type"].startswith(content_type)
        assert body is None or reply.body == body
    assert replies[0].body == replies[1].body == replies[2].body


def test_json_has_columns_rows_and_statistics(reading: Wire) -> None:
    """The JSON format is ClickHouse's."""
    answer = reading.send("SELECT 1 AS a FORMAT JSON").json()
    assert answer["meta"] == [{"name": "a", "type": "UInt8"}]
    assert answer["data"] == [{"a": 1}]
    assert answer["rows"] == 1


def test_parameters_are_bound(reading: Wire) -> None:
    """`param_<name>` binds on the server; a missing one is an error."""
    sql = "SELECT {a:UInt8} + {b:UInt8}"
    assert reading.value(sql, param_a="2", param_b="3") == "5"
    assert reading.value("SELECT {a:String}", param_a="'; DROP TABLE x") != ""
    assert reading.send(sql, param_a="2").code == 456


def test_the_parameters_of_the_interface_are_no_settings(reading: Wire) -> None:
    """What drivers always send changes nothing and breaks nothing."""
    assert (
        reading.value(
            "SELECT 1",
            session_id="s",
            session_timeout=60,
            wait_end_of_query=1,
            quota_key="q",
            send_progress_in_http_headers=1,
            http_headers_progress_interval_ms=10000,
            cancel_http_readonly_queries_on_client_close=1,
            buffer_size=1000,
            user="u",
            password="p",
            readonly=2,
        )
        == "1"
    )


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("readonly", "0", 164),
        ("allow_introspection_functions", "1", 164),
        ("format_schema", "/etc/passwd", 164),
        ("output_format_schema", "/tmp/out", 164),
        ("dialect", "prql", 164),
        ("max_threads", "many", 36),
        ("a = 1, readonly", "0", 36),
        ("client_protocol_version", "new", 36),
        ("session_timezone", "Mars", 36),
    ],
)
def test_a_setting_that_may_not_be_changed(
    reading: Wire, name: str, value: str, code: int
) -> None:
    """Other settings are refused, and so are names that are none."""
    setting: dict[str, Any] = {name: value}
    assert reading.send("SELECT 1", **setting).code == code


@pytest.mark.parametrize(
    ("status", "sql"),
    [
        (400, "SELEC 1"),
        (403, "DROP TABLE spans"),
        (404, "SELECT * FROM nowhere"),
        (500, "SELECT throwIf(1)"),
    ],
)
def test_an_error_has_a_status_and_a_text(reading: Wire, status: int, sql: str) -> None:
    """The status says whose fault it is, the text has the form that clients parse."""
    reply = reading.send(sql)
    assert reply.status == status
    text = reply.body.decode()
    assert text.startswith(f"Code: {reply.code}. DB::Exception: ")
    assert text.count("DB::Exception") == 1
    assert text.endswith("(farthing))\n")
    assert "parseQueryToJSON" not in text


@pytest.mark.parametrize(
    ("encoding", "decompress"),
    [
        ("gzip", gzip.decompress),
        ("deflate", zlib.decompress),
        ("zstd", zstd.decompress),
        ("lz4", lz4.frame.decompress),
    ],
)
def test_answers_are_compressed_when_switched_on(
    reading: Wire, encoding: str, decompress: Callable[[bytes], bytes]
) -> None:
    """Accept-Encoding counts with `enable_http_compression=1`, as in ClickHouse."""
    sql = "SELECT 'spent', number % 7 FROM numbers(1000)"
    headers = {"Accept-Encoding": f"br, {encoding};q=1.0"}
    plain = reading.send(sql, headers=headers)
    assert "Content-Encoding" not in plain.headers
    packed = reading.send(sql, headers=headers, enable_http_compression=1)
    assert packed.headers["Content-Encoding"] == encoding
    assert len(packed.body) < len(plain.body)
    assert decompress(packed.body) == plain.body


def test_an_encoding_that_is_not_accepted_is_not_used(reading: Wire) -> None:
    """A weight of zero and an unknown encoding give the plain body."""
    for accepted in ("gzip;q=0", "br", ""):
        reply = reading.send(
            "SELECT 1", headers={"Accept-Encoding": accepted}, enable_http_compression=1
        )
        assert reply.body == b"1\n"


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("zstd", zstd.compress),
        ("lz4", lz4.frame.compress),
    ],
)
def test_bodies_are_unpacked(
    reading: Wire, encoding: str, compress: Callable[[bytes], bytes]
) -> None:
    """Content-Encoding is honoured; a body that is not of it is an error."""
    headers = {"Content-Encoding": encoding}
    assert reading.send(compress(b"SELECT 7"), headers=headers).body == b"7\n"
    assert reading.send(b"SELECT 7", headers=headers).code == 271
    assert reading.send(b"x", headers={"Content-Encoding": "br"}).code == 271


def test_frames_in_both_directions(reading: Wire) -> None:
    """`decompress=1` and `compress=1` speak ClickHouse's own framing."""
    sql = to_frames(b"SELECT number FROM numbers(3)")
    reply = reading.send(sql, decompress=1, compress=1)
    assert from_frames(reply.body, max_bytes=1000) == b"0\n1\n2\n"
    damaged = sql[:-1] + bytes([sql[-1] ^ 1])
    assert reading.send(damaged, decompress=1).code == 271
    assert reading.send(sql[:-1], decompress=1).code == 271


def test_a_bomb_costs_nothing(reading: Wire) -> None:
    """A small body that unpacks to more than a request may have is refused."""
    bomb = gzip.compress(b" " * 5_000_000)
    reply = reading.send(bomb, headers={"Content-Encoding": "gzip"})
    assert (reply.code, reply.status) == (229, 413)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:8123", 200),
        ("LOCALHOST", 200),
        ("ledger.localhost", 200),
        ("[::1]:8123", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example:8123", 403),
        ("localhost.evil.example", 403),
        ("[", 403),
    ],
)
def test_a_foreign_name_for_this_machine_is_refused(
    reading: Wire, host: str, status: int
) -> None:
    """Without a token, a page whose name was pointed at loopback reads nothing."""
    assert reading.send("SELECT 1", headers={"Host": host}).status == status


def test_an_error_after_many_rows_is_still_an_error(reading: Wire) -> None:
    """What fails in a late block has neither status 200 nor half an answer."""
    sql = "SELECT throwIf(number = 90000) FROM numbers(99999)"
    reply = reading.send(sql, max_block_size=1000)
    assert (reply.code, reply.status) == (395, 500)
    assert reply.body.startswith(b"Code: 395.")


def test_external_tables_are_refused(reading: Wire) -> None:
    """A form with a file in it is an external table, which is not supported."""
    body = (
        b'--b\r\nContent-Disposition: form-data; name="t"; filename="t"\r\n\r\n1\n'
        b"\r\n--b--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    reply = reading.send(body, headers=headers, query="SELECT * FROM t")
    assert (reply.code, reply.status) == (48, 501)


def test_text_that_is_not_utf8_is_an_error(reading: Wire) -> None:
    """Statements are UTF-8."""
    assert reading.send(b"SELECT '\xff'").code == 62


def basic(user: str, password: str) -> str:
    """An Authorization header's value."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_a_token_is_needed_where_one_is_set(
    tmp_path_factory: pytest.TempPathFactory, pool: Any
) -> None:
    """As password, key, parameter or bearer token; else 401, or 403 for a wrong one."""
    folder = tmp_path_factory.mktemp("token")
    with clickhouse_server(folder, token="s3cret") as server:
        wire = Wire(server, pool)

        def status(headers: dict[str, str] | None = None, **params: Any) -> int:
            return wire.send("SELECT 1", headers=headers, **params).status

        assert wire.send("SELECT 1").code == 194
        assert status() == 401
        assert status({"Authorization": basic("any", "wrong")}) == 403
        assert status({"Authorization": "Basic ???"}) == 403
        assert status({"Authorization": "Bearer s3cretx"}) == 403
        assert wire.send("SELECT 1", user="a", password="b").code == 516
        assert status({"Authorization": basic("any", "s3cret")}) == 200
        assert status({"Authorization": "Bearer s3cret"}) == 200
        assert status({"X-ClickHouse-User": "u", "X-ClickHouse-Key": "s3cret"}) == 200
        assert status(password="s3cret") == 200
        assert wire.send(method="GET", path="/ping").status == 200


def test_the_writable_server_writes_what_it_is_told(writable: Wire) -> None:
    """Statements and data may come in the URL, the body or both."""
    table = "CREATE OR REPLACE TABLE w (a UInt8) ENGINE = MergeTree ORDER BY a"
    created = writable.send(table)
    assert created.status == 200
    assert "X-ClickHouse-Format" not in created.headers
    assert writable.send("1\n2\n", query="INSERT INTO w FORMAT TSV").status == 200
    inserted = writable.send("INSERT INTO w (a) SETTINGS async_insert = 0 FORMAT CSV 3")
    summary = json.loads(inserted.headers["X-ClickHouse-Summary"])
    assert summary["written_rows"] == "1"
    assert writable.send(method="POST", query="INSERT INTO w VALUES (4)").status == 200
    assert writable.value("SELECT groupArray(a) FROM (SELECT a FROM w ORDER BY a)") == (
        "[1,2,3,4]"
    )
    assert writable.send("INSERT INTO w FORMAT TSV\nx\n").code == 27
    assert writable.send("CREATE TABLE w (a Int8) ENGINE = Memory").code == 57
    assert writable.send("SELECT 1", no_such_setting=1).code == 115


def test_one_statement_a_request(writable: Wire) -> None:
    """Like a server, and unlike the engine by itself, it refuses a second statement."""
    for sql in (
        "SELECT 1; SELECT 2",
        "CREATE TABLE a (b Int8) ENGINE = Null; SELECT 1",
    ):
        reply = writable.send(sql)
        assert reply.code == 62
        assert b"formatQuery" not in reply.body
    assert writable.send("SELECT 1;").body == b"1\n"
    assert writable.value("EXISTS TABLE a") == "0"
