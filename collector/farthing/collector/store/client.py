"""One client for the ledger, embedded (chdb) or on a ClickHouse server.

The store is named by a URL: `chdb:///path` opens the engine in this process,
`clickhouse://user:password@host:8123/database` (or `clickhouses://` with TLS) asks a
server over HTTP. Everything above speaks to both through `Store`.
"""

from __future__ import annotations

import json
import logging
import re
import ssl
import threading
import weakref
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError
from clickhouse_connect.driver.httputil import get_pool_manager

from farthing.collector.store.engine import import_engine
from farthing.collector.store.text import fill, quoted
from farthing.errors import ConfigError, StoreUnavailable

# What it logs it raises as well, which is enough for commands that set up no log.
logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())

DATABASE: Final = "farthing"
UNKNOWN_TABLE: Final = 60
DENIED: Final = frozenset({192, 193, 194, 497, 516})
"""UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, ACCESS_DENIED, and
AUTHENTICATION_FAILED."""

_LONGEST: Final = 600
_MARK_CACHE_BYTES: Final = 64 * 1024**2
_PIECE_BYTES: Final = 1024**2
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

TRANSIENT: Final = DENIED | frozenset(
    {
        UNKNOWN_TABLE,  # another program is at work on the schema
        74, 75, 76,  # files cannot be read, written, opened
        81,  # UNKNOWN_DATABASE
        159,  # TIMEOUT_EXCEEDED
        164,  # READONLY
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        209, 210,  # SOCKET_TIMEOUT, NETWORK_ERROR
        225,  # NO_ZOOKEEPER
        236,  # ABORTED
        241,  # MEMORY_LIMIT_EXCEEDED
        242,  # TABLE_IS_READ_ONLY
        243,  # NOT_ENOUGH_SPACE
        252,  # TOO_MANY_PARTS
        279,  # ALL_CONNECTION_TRIES_FAILED
        285,  # TOO_FEW_LIVE_REPLICAS
        286,  # UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
        319,  # UNKNOWN_STATUS_OF_INSERT
        394,  # QUERY_WAS_CANCELLED
        999,  # KEEPER_EXCEPTION
    }
)  # fmt: skip
"""Error codes of ClickHouse that speak of its state, not of what it was given."""


class Away(StoreUnavailable):
    """The store cannot do it now; `code` is ClickHouse's, 0 where it did not answer."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class Refused(Exception):
    """The store does not take what it was given; `code` is ClickHouse's."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Address:
    """A store's URL, taken apart. `path` is set for the embedded engine only;
    `trusted` says which certificates a secure one may have, instead of the usual."""

    path: Path | None = None
    host: str = ""
    port: int = 0
    username: str = "default"
    password: str = ""
    database: str = DATABASE
    secure: bool = False
    trusted: ssl.SSLContext | None = None

    @classmethod
    def parse(cls, url: str) -> Address:
        """Raises ConfigError for a URL of another kind."""
        parts = _split(url)
        if parts.scheme == "chdb" and not parts.netloc and len(parts.path) > 1:
            return cls(path=Path(unquote(parts.path)))
        database = parts.path.strip("/") or DATABASE
        secure = parts.scheme == "clickhouses"
        if (
            parts.scheme in ("clickhouse", "clickhouses")
            and parts.hostname
            and _is_port(parts)
            and _IDENTIFIER.fullmatch(database)
        ):
            return cls(
                host=parts.hostname,
                port=parts.port or (8443 if secure else 8123),
                username=unquote(parts.username or "default"),
                password=unquote(parts.password or ""),
                database=database,
                secure=secure,
            )
        raise ConfigError(
            f"store {_redacted(url)!r} is not understood: use chdb:///absolute/path or"
            " clickhouse://user:password@host:8123/database"
        )

    def __str__(self) -> str:
        if self.path is not None:
            return f"chdb://{self.path}"
        scheme = "clickhouses" if self.secure else "clickhouse"
        return f"{scheme}://{self.username}@{self.host}:{self.port}/{self.database}"


class Store:
    """Connections to the ledger's database, one per thread that asks.

    A connection ends with its thread. `writes=False` opens an embedded ledger for
    reading only. Errors: Away (a StoreUnavailable) where asking again may help, Refused
    where it will not, ConfigError where the embedded ledger cannot be opened at all.
    """

    def __init__(self, address: Address, *, writes: bool = True) -> None:
        self.address = address
        self.database = address.database
        self._writes = writes
        self._of_thread = threading.local()
        self._clients: weakref.WeakSet[Client] = weakref.WeakSet()
        self._closed = False
        self._lock = threading.Lock()

    @property
    def embedded(self) -> bool:
        """Whether the engine runs in this process."""
        return self.address.path is not None

    def command(self, sql: str, *, settings: Mapping[str, Any] | None = None) -> None:
        """Run a statement that returns nothing."""
        with self._client() as client:
            client.command(sql, settings=dict(settings or {}))

    def rows(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """The rows of a query, by column name."""
        with self._client() as client:
            result = client.query(
                sql, parameters=dict(parameters or {}), settings=dict(settings or {})
            )
            return list(result.named_results())

    def columns(self, sql: str) -> Sequence[Sequence[Any]]:
        """The columns of a query; none where it has no rows."""
        with self._client() as client:
            columns: Sequence[Sequence[Any]] = client.query(sql).result_columns
            return columns

    def raw(self, sql: str, *, fmt: str) -> bytes:
        """The result of a query in one of ClickHouse's formats."""
        with self._client() as client:
            return client.raw_query(sql, fmt=fmt)

    def insert(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> None:
        """Insert rows of JSON's types and what `str` makes readable to ClickHouse."""
        # The client's own insert would import pandas: 0.5 s and 60 MB.
        lines = "\n".join(json.dumps(row, default=str) for row in rows)
        with self._client() as client:
            client.raw_insert(
                table,
                column_names=columns,
                insert_block=lines,
                fmt="JSONCompactEachRow",
            )

    def insert_bytes(
        self, table: str, data: bytes, *, fmt: str, settings: Mapping[str, Any]
    ) -> None:
        """Insert bytes that are in one of ClickHouse's formats."""
        with self._client() as client:
            client.raw_insert(
                table, insert_block=data, fmt=fmt, settings=dict(settings)
            )

    def insert_read(
        self, statement: str, data: Iterable[bytes], *, structure: str
    ) -> None:
        """Run an INSERT that reads `data`, messages in ClickHouse's Protobuf format.

        `statement` reads it from `{{source}}`, a table of this `structure`. Settings
        are in its text.
        """
        if self.embedded:
            with self._readable(data) as path:
                source = f"file({quoted(path)}, 'Protobuf', {quoted(structure)})"
                self.command(fill(statement, {"source": source}))
            return
        sql = fill(statement, {"source": f"input({quoted(structure)})"})
        head = f"{sql} FORMAT Protobuf\n".encode()
        with self._client() as client:
            # Sent as it is read, or the batch would be in memory twice. So the client
            # cannot send it again: who asked does, from the start.
            client.raw_insert("", insert_block=_pieces(chain([head], data)))

    @contextmanager
    def _readable(self, data: Iterable[bytes]) -> Iterator[str]:
        """A file that holds `data`, beside the embedded ledger: it is what agents sent,
        so it stays where that may be. What a kill leaves behind is written over."""
        assert self.address.path is not None
        path = self.address.path / "loading.pb"
        try:
            with path.open("wb") as file:
                path.chmod(0o600)
                file.writelines(data)
            yield str(path)
        finally:
            path.unlink(missing_ok=True)

    def version(self) -> str:
        """The version of the store, as it says it."""
        with self._translated():
            return str(self._without_database().server_version)

    def create_database(self, *, on_cluster: str = "") -> None:
        """Make the database unless it is there; every other method needs it."""
        with self._translated():
            self._without_database().command(
                f"CREATE DATABASE IF NOT EXISTS {self.database} {on_cluster}"
            )

    def release_memory(self) -> None:
        """Give what the embedded engine holds in reserve back to the system."""
        if self.embedded:
            self.command("SYSTEM JEMALLOC PURGE")

    def close(self) -> None:
        """Close every connection; the embedded engine stops with the last."""
        with self._lock:
            self._closed = True
            clients = list(self._clients)
        for client in clients:
            client.close()

    @contextmanager
    def _client(self) -> Iterator[Client]:
        with self._translated():
            client = self._without_database()
            client.database = self.database
            try:
                yield client
            except Exception:
                self._drop(client)
                raise

    def _drop(self, client: Client) -> None:
        """Give this thread another connection. What an embedded query had written when
        it failed would come out before the next answer on the same one."""
        if not self.embedded or self._closed:
            return
        self._of_thread.client = None
        with suppress(ConfigError):  # else it is tried again when it is needed
            self._without_database()  # before the engine stops with its last connection
        client.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            code = error.code or 0
            if code in TRANSIENT or not code:
                raise Away(f"{self.address}: {_brief(error)}", code) from error
            raise Refused(_brief(error), code) from error
        except (ClickHouseError, OSError) as error:
            raise Away(f"{self.address}: {_brief(error)}") from error

    def _without_database(self) -> Client:
        """This thread's connection, which names no database yet if it is new."""
        client: Client | None = getattr(self._of_thread, "client", None)
        if client is None:
            client = self._connect()
            with self._lock:
                self._clients.add(client)
                closed = self._closed
            if closed:
                client.close()
            self._of_thread.client = client
        return client

    def _connect(self) -> Client:
        address = self.address
        if address.path is not None:
            return _embedded(address.path, writes=self._writes)
        return clickhouse_connect.get_client(
            host=address.host,
            port=address.port,
            username=address.username,
            password=address.password,
            secure=address.secure,
            autogenerate_session_id=False,
            pool_mgr=_pool(address.trusted) if address.trusted else None,
        )


def _pool(trusted: ssl.SSLContext) -> Any:
    """Connections that check certificates, and names in them, as `trusted` does."""
    return get_pool_manager(
        ssl_context=trusted, assert_hostname=None if trusted.check_hostname else False
    )


def _embedded(path: Path, *, writes: bool) -> Client:
    """A connection to the engine in this process, which the first one starts."""
    options = {"mark_cache_size": str(_MARK_CACHE_BYTES)}
    import_engine()
    try:
        path.mkdir(parents=True, exist_ok=True)
        return clickhouse_connect.get_client(
            interface="chdb",
            path=str(path),
            chdb_options=options if writes else {**options, "readonly": "2"},
        )
    except (ClickHouseError, OSError) as error:
        raise ConfigError(
            f"the ledger in {path} cannot be opened: another process may have it open"
            " (a collector, or a command that reads it; the engine allows one), or the"
            " folder may not be written. Stop the other process, or choose another"
            f" folder. ClickHouse says: {_first_line(error)}"
        ) from error


def _pieces(data: Iterable[bytes]) -> Generator[bytes]:
    """The same bytes, in pieces that are worth a write to a socket."""
    piece = bytearray()
    for part in data:
        piece += part
        if len(piece) >= _PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _is_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].partition(", Stack trace")[0]


def _brief(error: Exception) -> str:
    """What went wrong, without the query that the server repeats."""
    text = str(error)
    return text if len(text) < _LONGEST else f"{text[:_LONGEST]} …"


def _redacted(url: str) -> str:
    """The URL without what stands between the first colon of a login and its end."""
    return re.sub(r"(?<=://)([^:/]*):.*@", r"\1:***@", url)
