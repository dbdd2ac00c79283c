"""Request bodies: read piece by piece, decompressed within limits.

A body is decompressed while it arrives, never further than the limit, so a bomb
costs as much as the largest request that is allowed. HTTP's `deflate` is zlib's
format (RFC 9110, 8.4.1.2); the bare deflate that some senders mean is told apart
by its first byte.
"""

from __future__ import annotations

import asyncio
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from farthing.collector.receive.outcomes import Disconnected, Outcome, Refused
from farthing.errors import BadPayload, TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive

_GZIP, _ZLIB, _BARE = 31, 15, -15  # wbits: see the zlib module's documentation
_LINGER_S = 2.0


class Decoder(Protocol):
    """Takes a body's pieces and gives the body, or says what is wrong with it."""

    def feed(self, piece: bytes, /) -> int:
        """Take a piece; how many bytes are now held on its account."""

    def finish(self) -> bytes:
        """The whole body, decompressed."""


class Plain:
    """A body as it is, of at most `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._size_bytes = 0
        self._pieces: list[bytes] = []

    def feed(self, piece: bytes, /) -> int:
        self._size_bytes += len(piece)
        if self._size_bytes > self._max_bytes:
            raise too_large(self._max_bytes)
        self._pieces.append(piece)
        return len(piece)

    def finish(self) -> bytes:
        return b"".join(self._pieces)


class Discarded:
    """A body that nobody will look at, of at most `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._size_bytes = 0

    def feed(self, piece: bytes, /) -> int:
        self._size_bytes += len(piece)
        if self._size_bytes > self._max_bytes:
            raise too_large(self._max_bytes)
        return 0

    def finish(self) -> bytes:
        return b""


class Inflated:
    """A compressed body of at most `max_wire_bytes` that holds at most `max_bytes`."""

    def __init__(self, name: str, *, max_wire_bytes: int, max_bytes: int) -> None:
        self._name = name
        self._wire_room_bytes = self._max_wire_bytes = max_wire_bytes
        self._room_bytes = self._max_bytes = max_bytes
        self._inflate: zlib._Decompress | None = None
        self._pieces: list[bytes] = []

    def feed(self, piece: bytes, /) -> int:
        if not piece:
            return 0
        self._wire_room_bytes -= len(piece)
        if self._wire_room_bytes < 0:
            raise too_large(self._max_wire_bytes, "compressed bytes")
        inflate = self._inflate or self._begin(piece)
        inflated = self._decompress(inflate, piece)
        self._room_bytes -= len(inflated)
        if self._room_bytes < 0:
            raise too_large(self._max_bytes, "decompressed bytes")
        self._pieces.append(inflated)
        return len(inflated)

    def finish(self) -> bytes:
        if self._inflate is None or not self._inflate.eof:
            raise BadPayload(f"the {self._name} body ends before its data does")
        return b"".join(self._pieces)

    def _begin(self, piece: bytes) -> zlib._Decompress:
        if self._name == "gzip":
            wbits = _GZIP
        else:
            wbits = _ZLIB if piece[0] & 0x0F == zlib.DEFLATED else _BARE
        self._inflate = zlib.decompressobj(wbits)
        return self._inflate

    def _decompress(self, inflate: zlib._Decompress, piece: bytes) -> bytes:
        try:
            # One byte more than there is room for: that byte proves the excess.
            inflated = inflate.decompress(piece, self._room_bytes + 1)
        except zlib.error as error:
            message = f"the body is not valid {self._name}: {error}"
            raise BadPayload(message) from error
        if inflate.unused_data:
            raise BadPayload(f"the {self._name} body has bytes after its end")
        return inflated


def too_large(max_bytes: int, unit: str = "bytes") -> TooLarge:
    """The refusal of a request above a limit; `unit` says which limit."""
    return TooLarge(
        f"the request is larger than the {max_bytes} {unit} that this collector takes:"
        " send smaller batches (OTEL_BSP_MAX_EXPORT_BATCH_SIZE) or raise its"
        " FARTHING_MAX_REQUEST_BYTES"
    )


class Body:
    """The body of one HTTP request, as ASGI delivers it."""

    def __init__(self, receive: Receive, *, expected: bool) -> None:
        self._receive = receive
        self.complete = not expected
        self.wire_bytes = 0

    async def read(
        self, decoder: Decoder, *, hold: Callable[[int], None], timeout_s: float
    ) -> bytes:
        """Read it all through `decoder`; `hold` is told of each piece kept.

        Raises:
            Disconnected: the sender went away.
            BadPayload, TooLarge: from the decoder.
            Refused: it took longer than `timeout_s`.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not self.complete:
                    hold(decoder.feed(await self._next()))
        except TimeoutError:
            message = f"the request's body did not arrive within {timeout_s:g} s"
            raise Refused(Outcome.TIMED_OUT, message) from None
        return decoder.finish()

    async def linger(self) -> None:
        """Discard what a refused sender still sends, for two seconds at most.

        To close at once would reset the connection, and the sender would often
        see the reset instead of the answer that was already on its way.
        """
        with suppress(TimeoutError, Disconnected):
            async with asyncio.timeout(_LINGER_S):
                while not self.complete:
                    await self._next()

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        self.complete = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        self.wire_bytes += len(piece)
        return piece
