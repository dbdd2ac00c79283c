"""A result read while the engine writes it, up to a size.

chdb hands over a result when it is complete. A constant counts once per block for the
engine's own limit of the result's size, however often it is written, so a small query
can have an answer of gigabytes. The engine therefore writes into a pipe, as into a
file, and what is beyond the limit is not kept.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_CHUNK_BYTES = 1024**2
_WAIT_MS = 50


class LimitedPipe:
    """Collects what is written into `path`; `overflowed` beyond `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        self.overflowed = False
        self._max_bytes = max_bytes
        self._body = bytearray()
        self._read_end, self._write_end = os.pipe()
        self._writer_is_done = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)

    @property
    def path(self) -> str:
        """Where to write."""
        return f"/dev/fd/{self._write_end}"

    @property
    def body(self) -> bytes:
        """What was written, once the `with` block of `limited_pipe` has ended."""
        return bytes(self._body)

    def open(self) -> None:
        """Begin to read."""
        self._reader.start()

    def close(self) -> None:
        """Read what is left and end; the writer must be done."""
        os.close(self._write_end)
        self._writer_is_done.set()
        self._reader.join()
        os.close(self._read_end)

    def _read(self) -> None:
        poll = select.poll()
        poll.register(self._read_end, select.POLLIN)
        while True:
            # Asked before the poll: what was written by then is there to be polled.
            is_done = self._writer_is_done.is_set()
            if poll.poll(_WAIT_MS):
                if not self._take():
                    return
            elif is_done:
                # The engine keeps its end open after an error: no end of file comes.
                return

    def _take(self) -> bool:
        chunk = os.read(self._read_end, _CHUNK_BYTES)
        if len(self._body) + len(chunk) > self._max_bytes:
            # Reading goes on, so that the engine is never left waiting.
            self.overflowed = True
            self._body.clear()
        elif not self.overflowed:
            self._body += chunk
        return bool(chunk)


@contextmanager
def limited_pipe(max_bytes: int) -> Iterator[LimitedPipe]:
    """A pipe that is read until the block ends."""
    pipe = LimitedPipe(max_bytes)
    pipe.open()
    try:
        yield pipe
    finally:
        pipe.close()
