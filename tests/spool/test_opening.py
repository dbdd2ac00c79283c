"""Opening a folder: what is told to the operator where that cannot be done."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from farthing.errors import ConfigError
from tests.spool.spooling import append, drain, opened


def test_file_that_is_no_database(tmp_path: Path) -> None:
    """A file that is not SQLite's is refused by name, and left as it is."""
    file = tmp_path / "spool.sqlite"
    file.write_bytes(b"not a database " * 1000)
    with pytest.raises(ConfigError, match=r"spool\.sqlite.*not a database"):
        opened(tmp_path).__enter__()
    assert file.read_bytes() == b"not a database " * 1000


def test_damaged_file(tmp_path: Path) -> None:
    """A file whose tables cannot be read is refused, with what to do."""
    with opened(tmp_path) as spool:
        append(spool, b"request")
    with (tmp_path / "spool.sqlite").open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 60_000)
    with pytest.raises(ConfigError, match="move it away"):
        opened(tmp_path).__enter__()


@pytest.mark.parametrize(
    "statement", ["PRAGMA user_version = 99", "CREATE TABLE requests (id INTEGER)"]
)
def test_file_of_another_format(tmp_path: Path, statement: str) -> None:
    """A file that another version wrote, or another program, is refused, not read."""
    with closing(sqlite3.connect(tmp_path / "spool.sqlite")) as other:
        other.execute(statement)
        other.commit()
    with pytest.raises(ConfigError, match="format"):
        opened(tmp_path).__enter__()


def test_folder_that_is_a_file(tmp_path: Path) -> None:
    """A folder that cannot be made is named."""
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(ConfigError, match="taken"):
        opened(tmp_path / "taken").__enter__()


def test_two_openers_load_a_batch_under_one_name(tmp_path: Path) -> None:
    """Should two processes open a folder, in spite of the collector's lock, they see
    one batch, so that its name counts it once."""
    with opened(tmp_path) as one, opened(tmp_path) as other:
        append(one, b"a", b"b")
        batches = [spool.next_batch(max_bytes=101) for spool in (one, other)]
        assert batches[0] == batches[1]
        for spool, batch in zip((one, other), batches, strict=True):
            assert batch is not None
            spool.finish(batch)
        assert drain(one) == [b"b"]
