"""What agents sent is on the disk while it waits, for its owner alone; not after."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.spool.spooling import append, drain, opened

SECRET = b"my prompt is 5d1c09"
SMALL, LARGE = SECRET, random.Random(9).randbytes(200_000) + SECRET
FILES = ("spool.sqlite", "spool.sqlite-wal")


@pytest.mark.parametrize("request_", [SMALL, LARGE], ids=["small", "large"])
def test_what_was_loaded_is_overwritten(tmp_path: Path, request_: bytes) -> None:
    """Once the ledger has a request, no file of the spool holds a word of it, while
    the spool is still open."""
    with opened(tmp_path) as spool:
        append(spool, b"another", request_)
        assert holds_secret(tmp_path)
        drain(spool)
        assert not holds_secret(tmp_path)
        append(spool, b"one more")
        assert drain(spool) == [b"one more"]


def test_what_was_put_aside_is_overwritten(tmp_path: Path) -> None:
    """The same where the ledger refused it: the dead letter is its only copy."""
    with opened(tmp_path) as spool:
        append(spool, SECRET)
        batch = spool.next_batch(max_bytes=1)
        assert batch is not None
        spool.give_up(batch)
        assert not holds_secret(tmp_path)


@pytest.mark.parametrize("is_there", [False, True])
def test_only_its_owner_may_look(tmp_path: Path, *, is_there: bool) -> None:
    """Nobody else may read what waits, nor where the folder was made by an earlier
    version."""
    folder = tmp_path / "spool"
    if is_there:
        folder.mkdir(mode=0o755)
    with opened(folder):
        assert folder.stat().st_mode & 0o777 == 0o700


def holds_secret(folder: Path) -> bool:
    return any(SECRET in (folder / name).read_bytes() for name in FILES)
