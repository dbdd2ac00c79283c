"""Bodies, read piece by piece within limits."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.collector.receive.bodies import Decoder, Discarded, Inflated, Plain
from farthing.errors import BadPayload, TooLarge

MIB = 1 << 20


def bare_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


CODINGS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "bare": ("deflate", bare_deflate),
}
codings = st.sampled_from(sorted(CODINGS))


def inflated(name: str, *, max_bytes: int = MIB) -> Inflated:
    return Inflated(name, max_wire_bytes=MIB, max_bytes=max_bytes)


def fed(decoder: Decoder, body: bytes, *, size_bytes: int) -> bytes:
    for start in range(0, len(body), size_bytes):
        decoder.feed(body[start : start + size_bytes])
    return decoder.finish()


@given(codings, st.binary(max_size=300), st.integers(1, 400))
def test_any_split(coding: str, data: bytes, size_bytes: int) -> None:
    """However a body is cut into pieces, what was compressed comes out."""
    name, compress = CODINGS[coding]
    assert fed(inflated(name), compress(data), size_bytes=size_bytes) == data
    assert fed(Plain(MIB), data, size_bytes=size_bytes) == data


@given(codings, st.binary(min_size=1, max_size=300), st.data())
def test_cut_off(coding: str, data: bytes, draw: st.DataObject) -> None:
    """A compressed body that ends early is refused."""
    name, compress = CODINGS[coding]
    body = compress(data)
    end = draw.draw(st.integers(0, len(body) - 1))
    with pytest.raises(BadPayload, match="ends before"):
        fed(inflated(name), body[:end], size_bytes=64)


@pytest.mark.parametrize("coding", sorted(CODINGS))
@pytest.mark.parametrize("size_bytes", [1, 1000])
def test_limit_is_exact(coding: str, size_bytes: int) -> None:
    """A body of as many bytes as allowed passes, one of a byte more does not."""
    name, compress = CODINGS[coding]
    body = compress(b"x" * 1000)
    decoder = inflated(name, max_bytes=1000)
    assert len(fed(decoder, body, size_bytes=size_bytes)) == 1000
    with pytest.raises(
        TooLarge,
        match=r"999 decompressed bytes .*or raise its FARTHING_MAX_REQUEST_BYTES",
    ):
        fed(inflated(name, max_bytes=999), body, size_bytes=size_bytes)


@pytest.mark.parametrize("decoder", [Plain(9), Discarded(9)])
def test_plain_limit(decoder: Decoder) -> None:
    """A body that is not compressed has its limit too, kept or not."""
    decoder.feed(b"123456789")
    with pytest.raises(TooLarge, match="9 bytes"):
        decoder.feed(b"0")


def test_wire_limit() -> None:
    """A compressed body has a limit of its own, whatever it holds."""
    decoder = Inflated("gzip", max_wire_bytes=10, max_bytes=MIB)
    with pytest.raises(TooLarge, match="10 compressed bytes"):
        decoder.feed(gzip.compress(b"x"))


@pytest.mark.parametrize("name", ["gzip", "deflate"])
def test_garbage(name: str) -> None:
    """Bytes that are not of the named format are refused."""
    with pytest.raises(BadPayload, match=f"not valid {name}"):
        inflated(name).feed(b"\xff" * 50)


def test_bytes_after_the_end() -> None:
    """Bytes after a stream's end are refused: nobody knows what they are."""
    with pytest.raises(BadPayload, match="after its end"):
        inflated("gzip").feed(gzip.compress(b"x") + b"more")
    decoder = inflated("gzip")
    decoder.feed(gzip.compress(b"x"))
    with pytest.raises(BadPayload, match="after its end"):
        decoder.feed(b"more")


def bomb(size_bytes: int) -> bytes:
    """A gzip body of zeros, made of one compressed MiB again and again."""
    compressor = zlib.compressobj(9, wbits=31)
    head = compressor.compress(bytes(MIB)) + compressor.flush(zlib.Z_FULL_FLUSH)
    block = compressor.compress(bytes(MIB)) + compressor.flush(zlib.Z_FULL_FLUSH)
    return head + block * (size_bytes // MIB - 1)


def test_bomb() -> None:
    """A gigabyte of zeros, compressed, costs no more than the limit allows."""
    body = bomb(1024 * MIB)
    assert len(body) < 2 * MIB
    decoder = Inflated("gzip", max_wire_bytes=16 * MIB, max_bytes=4 * MIB)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match="decompressed"):
            fed(decoder, body, size_bytes=64 * 1024)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 12 * MIB
