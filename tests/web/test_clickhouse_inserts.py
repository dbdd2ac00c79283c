"""Where an INSERT ends and its data begins."""

from __future__ import annotations

import pytest

from farthing.collector.web.clickhouse_inserts import split_insert


@pytest.mark.parametrize(
    ("body", "head", "fmt", "data"),
    [
        (b"INSERT INTO t FORMAT CSV\n1,2\n", "INSERT INTO t ", "CSV", b"1,2\n"),
        (b"insert into t format TSV 1\t2", "insert into t ", "TSV", b"1\t2"),
        (
            b"INSERT INTO d.t (a, `FORMAT x`) SETTINGS a = 'FORMAT' FORMAT Native\n\0",
            "INSERT INTO d.t (a, `FORMAT x`) SETTINGS a = 'FORMAT' ",
            "Native",
            b"\0",
        ),
        (
            b"/* FORMAT A */ INSERT -- FORMAT B\n INTO t FORMAT C\r\n\n\n",
            "/* FORMAT A */ INSERT -- FORMAT B\n INTO t ",
            "C",
            b"\n\n",
        ),
        (b"INSERT INTO t FORMAT Protobuf", "INSERT INTO t ", "Protobuf", b""),
        (
            b"INSERT INTO FUNCTION null('FORMAT Int8') FORMAT CSV\n1",
            "INSERT INTO FUNCTION null('FORMAT Int8') ",
            "CSV",
            b"1",
        ),
    ],
)
def test_an_insert_with_data(body: bytes, head: str, fmt: str, data: bytes) -> None:
    """The data begins after the format's name, blanks and one line break."""
    insert = split_insert(body)
    assert insert is not None
    assert (insert.head, insert.format, bytes(insert.data)) == (head, fmt, data)


@pytest.mark.parametrize(
    "body",
    [
        b"INSERT INTO t VALUES (1, ' FORMAT CSV ')",
        b"INSERT INTO t SELECT 1 FORMAT CSV",
        b"INSERT INTO t WITH 1 AS a SELECT a",
        b"INSERT INTO t FROM INFILE 'x' FORMAT CSV",
        b"SELECT 'INSERT INTO t FORMAT CSV' FORMAT CSV",
        b"CREATE TABLE t (a Int8)",
        b"-- INSERT INTO t FORMAT CSV",
        b"",
    ],
)
def test_any_other_text_is_left_whole(body: bytes) -> None:
    """Statements without data of their own are the engine's to read."""
    assert split_insert(body) is None
