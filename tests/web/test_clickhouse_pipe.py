"""Reading what is written into a pipe, up to a size."""

from __future__ import annotations

import os
import select
import threading
from pathlib import Path

import pytest

from farthing.collector.web.clickhouse_pipe import limited_pipe


def test_all_of_it_is_read() -> None:
    """More than a pipe holds arrives while it is written."""
    with limited_pipe(10_000_000) as pipe:
        Path(pipe.path).write_bytes(b"x" * 5_000_000)
    assert pipe.body == b"x" * 5_000_000
    assert not pipe.overflowed


@pytest.mark.parametrize(("size", "overflowed"), [(1000, False), (1001, True)])
def test_nothing_is_kept_beyond_the_limit(size: int, *, overflowed: bool) -> None:
    """The writer is not held up, and what it wrote is dropped."""
    with limited_pipe(1000) as pipe:
        Path(pipe.path).write_bytes(b"x" * size)
    assert pipe.overflowed is overflowed
    assert len(pipe.body) == (0 if overflowed else size)


def test_a_writer_that_never_closes_its_end_holds_nobody_up() -> None:
    """When the block ends, what was written so far is the answer."""
    with limited_pipe(1000) as pipe:
        end = os.open(pipe.path, os.O_WRONLY)
        os.write(end, b"so far")
    os.close(end)
    assert pipe.body == b"so far"


def test_nothing_written_is_an_empty_answer() -> None:
    """A writer that fails before it begins leaves nothing behind."""
    with limited_pipe(1000) as pipe:
        pass
    assert pipe.body == b""


def test_what_is_written_right_after_a_wait_in_vain_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A writer that writes and ends between two looks of the reader is not missed."""
    has_looked, has_ended = threading.Event(), threading.Event()
    real_poll = select.poll

    class Slow:
        """Its first look sees nothing and takes until the writer has ended."""

        def __init__(self) -> None:
            self._poll = real_poll()
            self.register = self._poll.register

        def poll(self, wait_ms: int) -> list[tuple[int, int]]:
            if not has_looked.is_set():
                has_looked.set()
                has_ended.wait()
                return []
            return self._poll.poll(wait_ms)

    monkeypatch.setattr(select, "poll", Slow)
    with limited_pipe(1000) as pipe:
        has_looked.wait()
        Path(pipe.path).write_bytes(b"late")
        monkeypatch.setattr(pipe, "_writer_is_done", Both(has_ended))
    assert pipe.body == b"late"


class Both(threading.Event):
    """An event that sets another one with it."""

    def __init__(self, other: threading.Event) -> None:
        super().__init__()
        self._other = other

    def set(self) -> None:
        super().set()
        self._other.set()
