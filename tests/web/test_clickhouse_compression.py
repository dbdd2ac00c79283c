"""ClickHouse's own framing and its checksum, compared with what the engine wrote."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.collector.web.clickhouse_cityhash import city_hash_128
from farthing.collector.web.clickhouse_compression import (
    from_frames,
    to_frames,
    zstd,
)
from farthing.collector.web.clickhouse_errors import ClickHouseError
from tests.web.conftest import Wire

HEAD = struct.Struct("<BII")


def frames_of(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Checksum and content of each frame."""
    start = 0
    while start < len(data):
        size = HEAD.unpack_from(data, start + 16)[1]
        yield data[start : start + 16], data[start + 16 : start + 16 + size]
        start += 16 + size


def test_checksums_are_the_engines(writable: Wire) -> None:
    """Every frame in the engine's own column files has the checksum that we compute."""
    writable.send(
        "CREATE OR REPLACE TABLE sums (n UInt32, s String) ENGINE = MergeTree "
        "ORDER BY tuple() PARTITION BY n SETTINGS min_bytes_for_wide_part = 0"
    )
    writable.send(
        "INSERT INTO sums SELECT arrayJoin(arrayConcat(range(60), [127, 128, 144, 145, "
        "1000, 5000])) AS n, randomString(n)"
    )
    folder = Path(
        writable.value("SELECT data_paths[1] FROM system.tables WHERE name = 'sums'")
    )
    lengths = set()
    for file in folder.rglob("*.bin"):
        for checksum, content in frames_of(file.read_bytes()):
            assert city_hash_128(content) == checksum
            lengths.add(len(content))
    assert min(lengths) < 16
    assert {17 <= n < 32 for n in lengths} == {True, False}
    assert max(lengths) > 4000


def test_frames_of_three_methods() -> None:
    """LZ4, ZSTD and plain frames are read, one after another."""
    plain = frame(0x02, b"one", 3)
    packed = frame(0x90, zstd.compress(b"two"), 3)
    assert from_frames(plain + packed + to_frames(b"three"), max_bytes=100) == (
        b"onetwothree"
    )


def frame(method: int, packed: bytes, content_bytes: int) -> bytes:
    """A frame with a right checksum."""
    body = HEAD.pack(method, HEAD.size + len(packed), content_bytes) + packed
    return city_hash_128(body) + body


@given(st.binary(max_size=3000))
def test_there_and_back(content: bytes) -> None:
    """Whatever is framed comes out as it was."""
    assert from_frames(to_frames(content), max_bytes=3000) == content


@pytest.mark.parametrize(
    ("damaged", "code"),
    [
        (frame(0x55, b"x", 1), 271),
        (frame(0x82, b"not lz4 at all", 100), 271),
        (frame(0x90, b"not zstd at all", 100), 271),
        (frame(0x02, b"x" * 200, 200), 229),
        (frame(0x82, b"", 0)[:20], 271),
        (b"\0" * 40, 271),
    ],
)
def test_damaged_frames_are_errors(damaged: bytes, code: int) -> None:
    """A wrong method, content, size or checksum is told, and bombs are not unpacked."""
    with pytest.raises(ClickHouseError) as caught:
        from_frames(damaged, max_bytes=150)
    assert caught.value.code == code
