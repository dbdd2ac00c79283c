"""Recorded OTLP traces: files of requests, read one at a time.

Two forms: `.pb`, each request before it its length as a protobuf varint (protobuf's
"delimited" messages, ClickHouse's `Protobuf` format); and `.jsonl`, a request per line
as OTLP's JSON (what the OpenTelemetry collector's file exporter writes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final

from farthing.collector.receive.otlp import check_request
from farthing.collector.receive.otlp_json import to_protobuf
from farthing.errors import BadPayload

MAX_REQUEST_BYTES: Final = 64 << 20
"""A longer request is taken for a file of another kind."""

_VARINT_MAX_BYTES: Final = 10
_Read = Callable[[BinaryIO], Iterator[tuple[str, bytes]]]


def read(path: Path) -> Iterator[bytes]:
    """The requests in `path` as protobuf bytes, each one checked.

    Raises:
        BadPayload: which file, where in it and what is wrong there: cut off, of another
            kind, or with an ending that is not `.pb` or `.jsonl`.
        OSError: the file cannot be read.
    """
    read_requests = _FORMATS.get(path.suffix)
    if read_requests is None:
        known = " or ".join(_FORMATS)
        raise BadPayload(f"{path}: its ending is not {known}, so its form is not known")
    with path.open("rb") as file:
        requests = read_requests(file)
        while True:
            try:
                where, request = next(requests)
            except StopIteration:
                return
            except BadPayload as error:
                raise BadPayload(f"{path}: {error}") from error
            yield _checked(request, f"{path}: {where}")


def _checked(request: bytes, where: str) -> bytes:
    try:
        check_request(request)
    except BadPayload as error:
        raise BadPayload(
            f"{where}: this is not an OTLP ExportTraceServiceRequest"
        ) from error
    return request


def _delimited(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    position = 0
    while (length := _length(file, position)) is not None:
        if length > MAX_REQUEST_BYTES:
            raise BadPayload(
                f"byte {position}: a request of {length} bytes is not to be expected;"
                " is this a file of requests, each after its length?"
            )
        request = file.read(length)
        if len(request) < length:
            raise BadPayload(
                f"byte {position}: the file ends within a request"
                f" ({len(request)} of {length} bytes are there)"
            )
        yield f"byte {position}", request
        position = file.tell()


def _length(file: BinaryIO, position: int) -> int | None:
    """The varint at the file's position, None at its end."""
    length = 0
    for index in range(_VARINT_MAX_BYTES):
        byte = file.read(1)
        if not byte and index == 0:
            return None
        if not byte:
            raise BadPayload(f"byte {position}: the file ends within a length")
        length |= (byte[0] & 0x7F) << 7 * index
        if byte[0] < 0x80:
            return length
    raise BadPayload(f"byte {position}: there is no length here")


def _json_lines(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    number = 0
    while line := file.readline(MAX_REQUEST_BYTES + 1):
        number += 1
        if len(line) > MAX_REQUEST_BYTES:
            raise BadPayload(
                f"line {number}: it is longer than {MAX_REQUEST_BYTES} bytes;"
                " is this a file of requests, one a line?"
            )
        if not line.isspace():
            yield f"line {number}", _from_json(line, number)


def _from_json(line: bytes, number: int) -> bytes:
    try:
        return to_protobuf(line)
    except BadPayload as error:
        raise BadPayload(f"line {number}: {error}") from error


_FORMATS: Final[Mapping[str, _Read]] = {".pb": _delimited, ".jsonl": _json_lines}
