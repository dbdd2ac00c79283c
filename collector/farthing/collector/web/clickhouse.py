"""ClickHouse's HTTP interface on the embedded engine.

    app = clickhouse_app(Engine(path), database="farthing")

Read-only, it serves people, `farthing report`, Grafana's ClickHouse plugin and
`clickhouse-connect` while the collector owns the ledger: a request is read
(`clickhouse_request`), reviewed (`statements`, `clickhouse_settings`), run on a handle
of its own (`clickhouse_engine`) and answered as the client wants it
(`clickhouse_native`, `clickhouse_compression`). Writable, it is the ClickHouse server
of the tests. docs/query.md is the page for users.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from farthing.collector.web.clickhouse_catalogue import Catalogue
from farthing.collector.web.clickhouse_compression import encode, to_frames
from farthing.collector.web.clickhouse_errors import (
    AUTHENTICATION_FAILED,
    REQUIRED_PASSWORD,
    STD_EXCEPTION,
    SYNTAX_ERROR,
    ClickHouseError,
)
from farthing.collector.web.clickhouse_inserts import split_insert
from farthing.collector.web.clickhouse_native import (
    CUSTOM_SERIALIZATION_REVISION,
    with_revision,
)
from farthing.collector.web.clickhouse_request import (
    QueryRequest,
    credentials,
    query_id,
    read_request,
)
from farthing.collector.web.clickhouse_settings import limited
from farthing.collector.web.hosts import is_own_name
from farthing.collector.web.statements import Reviewer, refuse_several

if TYPE_CHECKING:
    from starlette.requests import Request

    from farthing.collector.web.clickhouse_engine import Engine, Handle, Result

_BEFORE = rb"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*"
_IS_INSERT = re.compile(_BEFORE + rb"INSERT\b", re.IGNORECASE | re.DOTALL)
_HAS_RESULT = re.compile(
    _BEFORE
    + rb"(?:SELECT|WITH|FROM|SHOW|DESC|DESCRIBE|EXISTS|EXPLAIN|CHECK|KILL|VALUES)\b",
    re.IGNORECASE | re.DOTALL,
)
_LAST_FORMAT = re.compile(rb"\bFORMAT\s+(\w+)\s*;?\s*\Z", re.IGNORECASE)

_STATEMENT_BYTES = 256 * 1024
_REVIEWED_BYTES = 64 * _STATEMENT_BYTES
"""Its tree, which the engine reads as text once more, is many times as long."""


@dataclass(frozen=True)
class Answer:
    """A result on its way out; `format` is None for a statement without a result."""

    result: Result
    format: str | None
    body: bytes
    encoding: str | None = None


@dataclass(frozen=True)
class _Service:
    engine: Engine
    catalogue: Catalogue
    database: str
    writable: bool
    token: str | None

    async def query(self, request: Request) -> Response:
        """Answer one request to `/`."""
        given_id = query_id(request.query_params)
        try:
            self._authenticate(request)
            asked = await read_request(
                request, max_bytes=self.engine.limits.max_request_bytes
            )
            if not asked.sql.strip():
                return PlainTextResponse("Ok.\n")
            answer = await self.engine.run(partial(self._answer, asked))
        except ClickHouseError as error:
            return self._failure(error, given_id)
        return self._success(answer, asked.query_id)

    def _authenticate(self, request: Request) -> None:
        if self.token is None:
            _refuse_foreign_name(request.headers.get("host", ""))
            return
        given = credentials(request)
        if given is None:
            raise ClickHouseError(
                REQUIRED_PASSWORD, "Authentication failed: send the token as password"
            )
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            raise ClickHouseError(
                AUTHENTICATION_FAILED,
                "Authentication failed: the password is not the collector's token",
            )

    def _answer(self, asked: QueryRequest, handle: Handle) -> Answer:
        run = self._write if self.writable else self._read
        answer = run(asked, handle)
        body = answer.result.body
        if answer.format == "Native" and (
            asked.protocol_version >= CUSTOM_SERIALIZATION_REVISION
        ):
            body = with_revision(body, asked.protocol_version)
        if asked.framed:
            return Answer(answer.result, answer.format, to_frames(body))
        body, encoding = encode(body, asked.accept_encoding)
        return Answer(answer.result, answer.format, body, encoding)

    def _read(self, asked: QueryRequest, handle: Handle) -> Answer:
        limits = self.engine.limits
        # Drivers that are told no database name the one that every server has.
        database = (
            asked.database if asked.database not in {"", "default"} else self.database
        )
        reviewer = Reviewer(
            self.catalogue, frozenset({self.database}), database, asked.params
        )
        handle.set({"max_query_size": str(_REVIEWED_BYTES)})
        statement = reviewer.review(_text(asked.sql), handle)
        fmt = statement.format or self.catalogue.output_format(asked.default_format)
        settings = limited({**asked.settings, **statement.settings}, limits)
        handle.use(database)
        # From readonly = 1 there is no way back. Clients look into system.settings for
        # what they may change, which they may in the URL: 2 says so.
        readonly = "2" if statement.reads_settings else "1"
        handle.set({**settings, "readonly": readonly})
        if statement.is_select:
            result = handle.select(
                statement.sql,
                fmt,
                params=asked.params,
                max_bytes=limits.max_result_bytes,
            )
        else:
            result = handle.query(statement.sql, fmt, params=asked.params)
        return Answer(result, fmt, result.body)

    def _write(self, asked: QueryRequest, handle: Handle) -> Answer:
        if asked.database:
            handle.use(asked.database)
        handle.set(asked.settings)
        insert = split_insert(asked.sql)
        if insert is not None:
            put = handle.insert_read if insert.reads_input else handle.insert
            result = put(insert.head, insert.format, insert.data)
            return Answer(result, None, b"")
        if _IS_INSERT.match(asked.sql) is None:
            refuse_several(_text(asked.sql), handle)
        result = handle.query(asked.sql, asked.default_format, params=asked.params)
        if _HAS_RESULT.match(asked.sql) is None and not result.body:
            return Answer(result, None, b"")
        named = _LAST_FORMAT.search(asked.sql)
        fmt = named[1].decode() if named else asked.default_format
        return Answer(result, fmt, result.body)

    async def bug(self, _: Request, error: Exception) -> Response:
        """Answer when we failed; the server logs the traceback."""
        return self._failure(
            ClickHouseError(STD_EXCEPTION, f"The collector failed: {error!r}"), ""
        )

    def _success(self, answer: Answer, used_id: str) -> Response:
        headers = self._headers(used_id)
        headers["X-ClickHouse-Summary"] = _summary(answer.result)
        media_type = "text/plain; charset=UTF-8"
        if answer.format is not None:
            headers["X-ClickHouse-Format"] = answer.format
            media_type = self.catalogue.content_types.get(answer.format, media_type)
        if answer.encoding is not None:
            headers["Content-Encoding"] = answer.encoding
        return Response(answer.body, headers=headers, media_type=media_type)

    def _failure(self, error: ClickHouseError, used_id: str) -> Response:
        headers = self._headers(used_id)
        headers["X-ClickHouse-Exception-Code"] = str(error.code)
        if error.code == REQUIRED_PASSWORD:
            headers["WWW-Authenticate"] = 'Basic realm="farthing"'
        if error.status == 503:
            headers["Retry-After"] = "1"
        return PlainTextResponse(
            error.text(self.catalogue.version), error.status, headers
        )

    def _headers(self, used_id: str) -> dict[str, str]:
        return {
            "X-ClickHouse-Query-Id": used_id,
            "X-ClickHouse-Timezone": self.catalogue.timezone,
            "X-ClickHouse-Server-Display-Name": self.catalogue.display_name,
        }


def clickhouse_app(
    engine: Engine, *, database: str, writable: bool = False, token: str | None = None
) -> Starlette:
    """The HTTP interface as an ASGI application.

    Args:
        engine: Owns the engine's folder; the caller closes it after the server.
        database: What may be read, and what unqualified names mean. Writable, every
            database may be used, and `default` is the default one.
        writable: Everything passes, without limits: the server of our tests.
        token: What clients must send as password or bearer token; None accepts all,
            which is for loopback only.
    """
    with engine.handle() as handle:
        catalogue = Catalogue.read(handle)
    service = _Service(engine, catalogue, database, writable, token)
    return Starlette(
        routes=[
            Route("/", service.query, methods=["GET", "POST"]),
            Route("/ping", _ok, methods=["GET", "HEAD"]),
            Route("/replicas_status", _ok, methods=["GET", "HEAD"]),
        ],
        exception_handlers={Exception: service.bug},
    )


def _refuse_foreign_name(host: str) -> None:
    if not is_own_name(host):
        raise ClickHouseError(
            AUTHENTICATION_FAILED,
            f"Without a token, ask 127.0.0.1 or localhost rather than {host!r}",
        )


async def _ok(_: Request) -> Response:
    return PlainTextResponse("Ok.\n")


def _text(sql: bytes) -> str:
    if len(sql) > _STATEMENT_BYTES:
        raise ClickHouseError(
            SYNTAX_ERROR,
            f"Max query size exceeded: a statement may have {_STATEMENT_BYTES:,} bytes",
        )
    try:
        return sql.decode()
    except UnicodeDecodeError:
        raise ClickHouseError(SYNTAX_ERROR, "The statement is not UTF-8") from None


def _summary(result: Result) -> str:
    """The counters as ClickHouse writes them: numbers in quotes."""
    counters: Mapping[str, int] = {
        "read_rows": result.read_rows,
        "read_bytes": result.read_bytes,
        "written_rows": result.written_rows,
        "written_bytes": result.written_bytes,
        "total_rows_to_read": 0,
        "result_rows": result.written_rows or result.result_rows,
        "result_bytes": result.written_bytes or len(result.body),
        "elapsed_ns": int(result.elapsed_s * 1e9),
    }
    return json.dumps({name: str(value) for name, value in counters.items()})
