"""The Native format for clients that name a protocol revision.

chdb writes Native for revision 0. A client that sends `client_protocol_version` (the
Go driver, and so Grafana's plugin) expects two additions: a block info in front of
every block, and from revision 54454 on a byte after every column's type that tells how
the column is serialized (0: as ever). To put them in, the columns' ends must be found;
nothing is decoded. See `NativeWriter` and `BlockInfo` in ClickHouse.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from farthing.collector.web.clickhouse_errors import NOT_IMPLEMENTED, ClickHouseError

CUSTOM_SERIALIZATION_REVISION = 54454

# is_overflows = 0, bucket_num = -1, end.
_BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"

_TYPES_OF_WIDTH = {
    1: "Bool Nothing Enum8 Int8 UInt8",
    2: "BFloat16 Date Enum16 Int16 UInt16",
    4: "Date32 DateTime Decimal32 Float32 IPv4 Int32 Time UInt32",
    8: "DateTime64 Decimal64 Float64 Int64 Time64 UInt64",
    16: "Decimal128 IPv6 Int128 UInt128 UUID",
    32: "Decimal256 Int256 UInt256",
}
_WIDTHS = {t: width for width, types in _TYPES_OF_WIDTH.items() for t in types.split()}
_DECIMAL_WIDTHS = ((9, 4), (18, 8), (38, 16), (76, 32))
_TYPE = re.compile(r"(\w+)(?:\((.*)\))?", re.DOTALL)
_PIECE = re.compile(r"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|.", re.DOTALL)
_U64 = struct.Struct("<Q")


def with_revision(native: bytes, revision: int) -> bytes:
    """`native` (revision 0) as a client of `revision` reads it.

    Raises ClickHouseError 48 for a column type whose length is not known here.
    """
    out: list[bytes] = []
    position = 0
    while position < len(native):
        out.append(_BLOCK_INFO)
        position = _copy_block(native, position, out, revision)
    return b"".join(out)


def _copy_block(data: bytes, start: int, out: list[bytes], revision: int) -> int:
    columns, position = _varint(data, start)
    rows, position = _varint(data, position)
    out.append(data[start:position])
    for _ in range(columns):
        head = position
        _, position = _string(data, position)
        name, position = _string(data, position)
        out.append(data[head:position])
        if revision >= CUSTOM_SERIALIZATION_REVISION:
            out.append(b"\0")
        body = position
        if rows:
            type_name = name.decode()
            position = _skip(data, _skip_prefix(position, type_name), type_name, rows)
        out.append(data[body:position])
    return position


def _skip_prefix(position: int, type_name: str) -> int:
    """Only LowCardinality, at any depth, writes something ahead of the values: 8 bytes
    of version."""
    name, arguments = _parsed(type_name)
    if name == "LowCardinality":
        return position + _U64.size
    if name in _NESTED:
        for inner in _inner_types(name, arguments):
            position = _skip_prefix(position, inner)
    return position


def _skip(data: bytes, position: int, type_name: str, rows: int) -> int:
    name, arguments = _parsed(type_name)
    if width := _WIDTHS.get(name):
        return position + width * rows
    if name == "String":
        for _ in range(rows):
            size, position = _varint(data, position)
            position += size
        return position
    skip = _SKIPS.get(name)
    if skip is None:
        raise ClickHouseError(
            NOT_IMPLEMENTED,
            f"Type {type_name} cannot be sent in Native with client_protocol_version; "
            "cast it, for example by toString",
        )
    return skip(data, position, arguments, rows)


def _skip_nullable(data: bytes, position: int, inner: list[str], rows: int) -> int:
    return _skip(data, position + rows, inner[0], rows)


def _skip_array(data: bytes, position: int, inner: list[str], rows: int) -> int:
    end = position + _U64.size * rows
    total: int = _U64.unpack_from(data, end - _U64.size)[0] if rows else 0
    return _skip(data, end, inner[0], total)


def _skip_map(data: bytes, position: int, inner: list[str], rows: int) -> int:
    pair = f"Tuple({inner[0]}, {inner[1]})"
    return _skip_array(data, position, [pair], rows)


def _skip_tuple(data: bytes, position: int, inner: list[str], rows: int) -> int:
    for element in _inner_types("Tuple", inner):
        position = _skip(data, position, element, rows)
    return position


def _skip_low_cardinality(
    data: bytes, position: int, inner: list[str], rows: int
) -> int:
    if not rows:
        return position
    flags: int = _U64.unpack_from(data, position)[0]
    keys: int = _U64.unpack_from(data, position + 8)[0]
    # The dictionary of LowCardinality(Nullable(T)) holds plain T.
    name, arguments = _parsed(inner[0])
    key_type = arguments[0] if name == "Nullable" else inner[0]
    position = _skip(data, position + 16, key_type, keys)
    indexes: int = _U64.unpack_from(data, position)[0]
    return position + 8 + (indexes << (flags & 0xFF))


def _skip_fixed(_: bytes, position: int, inner: list[str], rows: int) -> int:
    return position + int(inner[0]) * rows


def _skip_decimal(_: bytes, position: int, inner: list[str], rows: int) -> int:
    precision = int(inner[0])
    return position + rows * next(w for p, w in _DECIMAL_WIDTHS if precision <= p)


def _skip_aggregate(data: bytes, position: int, inner: list[str], rows: int) -> int:
    return _skip(data, position, inner[-1], rows)


def _skip_interval(_: bytes, position: int, __: list[str], rows: int) -> int:
    return position + _U64.size * rows


_Skip = Callable[[bytes, int, list[str], int], int]
_INTERVALS = "Nanosecond Microsecond Millisecond Second Minute Hour Day Week Month"
_SKIPS: dict[str, _Skip] = {
    "Nullable": _skip_nullable,
    "Array": _skip_array,
    "Map": _skip_map,
    "Tuple": _skip_tuple,
    "LowCardinality": _skip_low_cardinality,
    "FixedString": _skip_fixed,
    "Decimal": _skip_decimal,
    "SimpleAggregateFunction": _skip_aggregate,
    **{f"Interval{u}": _skip_interval for u in f"{_INTERVALS} Quarter Year".split()},
}
_NESTED = frozenset({"Nullable", "Array", "Map", "Tuple", "SimpleAggregateFunction"})


def _parsed(type_name: str) -> tuple[str, list[str]]:
    match = _TYPE.fullmatch(type_name)
    if match is None:
        return type_name, []
    return match[1], _split(match[2], ",") if match[2] else []


def _inner_types(name: str, arguments: list[str]) -> list[str]:
    if name == "SimpleAggregateFunction":
        return arguments[-1:]
    if name == "Tuple":  # elements may be named: `a UInt8`
        return [_split(element, " ")[-1] for element in arguments]
    return arguments


def _split(text: str, separator: str) -> list[str]:
    """`text` at the separators that are neither quoted nor in parentheses."""
    parts = [""]
    depth = 0
    for piece in _PIECE.findall(text):
        depth += (piece == "(") - (piece == ")")
        if piece == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return [part.strip() for part in parts if part.strip()]


def _string(data: bytes, position: int) -> tuple[bytes, int]:
    size, position = _varint(data, position)
    return data[position : position + size], position + size


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
