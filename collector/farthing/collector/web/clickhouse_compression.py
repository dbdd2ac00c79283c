"""Compression of request and response bodies, by HTTP's and by ClickHouse's own means.

HTTP's is named in Content-Encoding and Accept-Encoding. ClickHouse's own (`compress=1`,
`decompress=1`) is a sequence of frames: a CityHash128 of the rest, a method byte, the
frame's size without the hash, the size of its content (both little-endian UInt32), the
content. See `CompressedWriteBuffer` in ClickHouse.
"""

from __future__ import annotations

import gzip
import struct
import sys
import zlib
from collections.abc import Iterator
from typing import Any

import lz4.block
import lz4.frame

from farthing.collector.web.clickhouse_cityhash import city_hash_128
from farthing.collector.web.clickhouse_errors import (
    CANNOT_DECOMPRESS,
    QUERY_IS_TOO_LARGE,
    ClickHouseError,
)

if sys.version_info >= (3, 14):
    from compression import zstd as zstd
else:
    from backports import zstd as zstd

_HASH_BYTES = 16
_FRAME_HEAD = struct.Struct("<BII")
_FRAME_BYTES = 1024**2
_PLAIN, _LZ4, _ZSTD = 0x02, 0x82, 0x90

_ENCODERS = {
    "zstd": lambda body: zstd.compress(body, 1),
    "lz4": lz4.frame.compress,
    "gzip": lambda body: gzip.compress(body, 3, mtime=0),
    "deflate": lambda body: zlib.compress(body, 3),
}


def encode(body: bytes, accept_encoding: str) -> tuple[bytes, str | None]:
    """`body` in the first encoding of ours that the client accepts, and its name."""
    accepted = {
        name.strip().lower()
        for name, _, weight in (
            item.partition(";") for item in accept_encoding.split(",")
        )
        if weight.replace(" ", "") not in {"q=0", "q=0.0"}
    }
    for name, compress in _ENCODERS.items():
        if name in accepted:
            return compress(body), name
    return body, None


def decode(body: bytes, encoding: str, *, max_bytes: int) -> bytes:
    """The content of a request body in one of HTTP's encodings.

    Raises ClickHouseError 271 for a broken or unknown encoding, 229 for more than
    `max_bytes`, without unpacking more than that.
    """
    try:
        content = _decompressor(encoding).decompress(body, max_bytes + 1)
    except (ValueError, EOFError, RuntimeError, zlib.error, zstd.ZstdError) as error:
        raise ClickHouseError(
            CANNOT_DECOMPRESS, f"Cannot decompress the body as {encoding}: {error}"
        ) from None
    if len(content) > max_bytes:
        raise _too_large(max_bytes)
    return bytes(content)


def _decompressor(encoding: str) -> Any:
    match encoding:
        case "gzip":
            return zlib.decompressobj(zlib.MAX_WBITS | 16)
        case "deflate":
            return zlib.decompressobj()
        case "zstd":
            return zstd.ZstdDecompressor()
        case "lz4":
            return lz4.frame.LZ4FrameDecompressor()
    known = ", ".join(_ENCODERS)
    raise ValueError(f"the encodings known here are {known}")


def to_frames(body: bytes) -> bytes:
    """`body` in ClickHouse's own framing, with LZ4."""
    return b"".join(
        _frame(body[start : start + _FRAME_BYTES])
        for start in range(0, len(body), _FRAME_BYTES)
    )


def _frame(content: bytes) -> bytes:
    packed: bytes = lz4.block.compress(content, store_size=False)
    head = _FRAME_HEAD.pack(_LZ4, _FRAME_HEAD.size + len(packed), len(content))
    return city_hash_128(head + packed) + head + packed


def from_frames(body: bytes, *, max_bytes: int) -> bytes:
    """The content of a body in ClickHouse's own framing.

    Raises ClickHouseError 271 for a broken frame, 229 for more than `max_bytes`.
    """
    contents: list[bytes] = []
    total = 0
    for method, content_bytes, packed in _frames(body):
        total += content_bytes
        if total > max_bytes:
            raise _too_large(max_bytes)
        contents.append(_unpacked(method, content_bytes, packed))
    return b"".join(contents)


def _frames(body: bytes) -> Iterator[tuple[int, int, bytes]]:
    start = 0
    while start < len(body):
        head = start + _HASH_BYTES
        if head + _FRAME_HEAD.size > len(body):
            raise _broken("it ends inside a frame")
        method, frame_bytes, content_bytes = _FRAME_HEAD.unpack_from(body, head)
        end = head + frame_bytes
        if frame_bytes < _FRAME_HEAD.size or end > len(body):
            raise _broken("it ends inside a frame")
        if city_hash_128(body[head:end]) != body[start:head]:
            raise _broken("a checksum does not match")
        yield method, content_bytes, body[head + _FRAME_HEAD.size : end]
        start = end


def _unpacked(method: int, content_bytes: int, packed: bytes) -> bytes:
    try:
        if method == _LZ4:
            return bytes(lz4.block.decompress(packed, uncompressed_size=content_bytes))
        if method == _ZSTD:
            return bytes(zstd.ZstdDecompressor().decompress(packed, content_bytes))
    except (lz4.block.LZ4BlockError, zstd.ZstdError) as error:
        raise _broken(str(error)) from None
    if method == _PLAIN:
        return packed
    raise _broken(f"method {method:#x} is not known here")


def _broken(why: str) -> ClickHouseError:
    return ClickHouseError(CANNOT_DECOMPRESS, f"Cannot decompress the body: {why}")


def _too_large(max_bytes: int) -> ClickHouseError:
    return ClickHouseError(
        QUERY_IS_TOO_LARGE, f"The body is larger than {max_bytes} bytes"
    )
