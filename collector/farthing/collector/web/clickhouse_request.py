"""What an HTTP request to ClickHouse asks for: parameters, headers and body, sorted.

The rules are those of ClickHouse's HTTP interface: the statement is the `query`
parameter and the body, in this order; `param_<name>` binds a query parameter; whatever
is no parameter of the interface is a setting.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import TYPE_CHECKING

from farthing.collector.web.clickhouse_compression import decode, from_frames
from farthing.collector.web.clickhouse_errors import (
    BAD_ARGUMENTS,
    NOT_IMPLEMENTED,
    QUERY_IS_TOO_LARGE,
    ClickHouseError,
)

if TYPE_CHECKING:
    from starlette.requests import Request

# Parameters of the interface that are not settings and that nothing here depends on.
# Sessions: the id is taken, and every request stands alone.
_UNUSED = frozenset(
    {
        *("buffer_size", "close_session", "http_response_headers", "quota_key", "role"),
        *("session_check", "session_id", "session_timeout", "stacktrace", "user"),
        *("password", "wait_end_of_query", "client_name"),
    }
)
_USED = frozenset(
    {
        *("client_protocol_version", "compress", "database", "decompress"),
        *("default_format", "enable_http_compression", "query", "query_id"),
    }
)
_SETTING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")
_ON = frozenset({"1", "true"})


@dataclass(frozen=True)
class QueryRequest:
    """One request for the engine.

    `params` have bare names; `protocol_version` is 0 when the client named none;
    `accept_encoding` is empty unless the client switched HTTP compression on.
    """

    sql: bytes
    query_id: str
    database: str
    default_format: str
    params: Mapping[str, str]
    settings: Mapping[str, str]
    protocol_version: int
    accept_encoding: str
    framed: bool


def credentials(request: Request) -> str | None:
    """The password or token that the request carries, however it carries it."""
    given = header_credentials(request)
    return given if given is not None else request.query_params.get("password")


def header_credentials(request: Request) -> str | None:
    """The password or token that stands in a header of the request."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        return _basic_password(value)
    return request.headers.get("x-clickhouse-key")


def _basic_password(value: str) -> str:
    try:
        pair = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return pair.partition(":")[2]


def query_id(given: Mapping[str, str]) -> str:
    """The id that the client gave its query, as far as a header can hold it."""
    return _NOT_PRINTABLE.sub("?", given.get("query_id", ""))


async def read_request(request: Request, *, max_bytes: int) -> QueryRequest:
    """What `request` asks for, its body unpacked.

    Raises ClickHouseError: 229 for a body above `max_bytes`, 271 for one that cannot be
    unpacked, 48 for external tables, 36 for a parameter that makes no sense.
    """
    given = dict(request.query_params)
    body = await _body(request, max_bytes=max_bytes)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        body = decode(body, encoding, max_bytes=max_bytes)
    if given.get("decompress") in _ON:
        body = from_frames(body, max_bytes=max_bytes)
    kind = request.headers.get("content-type", "")
    if kind.startswith("multipart/form-data"):
        given |= _form_fields(kind, body)
        body = b""
    return _sorted_out(given, request.headers, body)


async def _body(request: Request, *, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise ClickHouseError(
                QUERY_IS_TOO_LARGE, f"The body is larger than {max_bytes} bytes"
            )
    return bytes(body)


def _form_fields(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a form: clients send long parameters in one."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    fields: dict[str, str] = {}
    for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts():
        name = part.get_param("name", header="content-disposition")
        if part.get_filename() is not None or not isinstance(name, str):
            raise ClickHouseError(
                NOT_IMPLEMENTED, "External tables are not supported here"
            )
        payload = part.get_payload(decode=True)
        fields[name] = payload.decode() if isinstance(payload, bytes) else ""
    return fields


def _sorted_out(
    given: Mapping[str, str], headers: Mapping[str, str], body: bytes
) -> QueryRequest:
    query = given.get("query", "").encode()
    compressed = given.get("enable_http_compression") in _ON
    return QueryRequest(
        sql=query + b"\n" + body if query and body else query or body,
        query_id=query_id(given) or str(uuid.uuid4()),
        database=given.get("database") or headers.get("x-clickhouse-database", ""),
        default_format=(
            headers.get("x-clickhouse-format")
            or given.get("default_format")
            or "TabSeparated"
        ),
        params={
            name.removeprefix("param_"): value
            for name, value in given.items()
            if name.startswith("param_")
        },
        settings=_settings(given),
        protocol_version=_number(given, "client_protocol_version"),
        accept_encoding=headers.get("accept-encoding", "") if compressed else "",
        framed=given.get("compress") in _ON,
    )


def _settings(given: Mapping[str, str]) -> dict[str, str]:
    settings = {
        name: value
        for name, value in given.items()
        if name not in _USED | _UNUSED and not name.startswith("param_")
    }
    for name in settings:
        if _SETTING_NAME.fullmatch(name) is None:
            raise ClickHouseError(BAD_ARGUMENTS, f"{name!r} is not a setting's name")
    return settings


def _number(given: Mapping[str, str], name: str) -> int:
    value = given.get(name, "0")
    if not value.isdecimal():
        raise ClickHouseError(BAD_ARGUMENTS, f"{name} must be a number, not {value!r}")
    return int(value)
