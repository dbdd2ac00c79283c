"""What waits in a spool, for who only reads it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from farthing.collector.spool import Spool, left_in
from farthing.errors import ConfigError


def test_what_is_left_is_told_whoever_has_the_spool_open(tmp_path: Path) -> None:
    """Requests that wait, and those of them of a batch that was being loaded: beside
    the collector, after it was stopped, and after all is loaded."""
    spool = Spool(tmp_path)
    asyncio.run(spool.append(b"one"))
    batch = spool.next_batch(max_bytes=2**20)
    assert batch is not None
    asyncio.run(spool.append(b"two"))
    assert left_in(tmp_path) == (2, 1)
    spool.close()
    assert left_in(tmp_path) == (2, 1)
    spool = Spool(tmp_path)
    spool.finish(batch)
    assert left_in(tmp_path) == (1, 0)
    spool.close()


def test_to_look_makes_no_spool(tmp_path: Path) -> None:
    """Where there is none, nothing waits, and none is there afterwards."""
    assert left_in(tmp_path) == (0, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_spool_is_told(tmp_path: Path) -> None:
    """By its name, and as it was."""
    (tmp_path / "spool.sqlite").write_text("no database, as anybody sees")
    with pytest.raises(ConfigError, match=r"spool\.sqlite cannot be read: file is not"):
        left_in(tmp_path)
    assert (tmp_path / "spool.sqlite").read_text().startswith("no database")
