"""One client for the ledger, embedded (chdb) or on a ClickHouse server.

The store is named by a URL: `chdb:///path` opens the engine in this process,
`clickhouse://user:password@host:8123/database` (or `clickhouses://` with TLS) asks a
server over HTTP. Everything above speaks to both through `Store`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from farthing.errors import ConfigError, StoreUnavailable

DATABASE = "farthing"

log = logging.getLogger(__name__)

_LONGEST = 600

TRANSIENT = frozenset(
    {
        60,  # UNKNOWN_TABLE: another program is at work on the schema
        74, 75, 76,  # files cannot be read, written, opened
        81,  # UNKNOWN_DATABASE
        159,  # TIMEOUT_EXCEEDED
        164,  # READONLY
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        209, 210,  # SOCKET_TIMEOUT, NETWORK_ERROR
        236,  # ABORTED
        241,  # MEMORY_LIMIT_EXCEEDED
        242,  # TABLE_IS_READ_ONLY
        243,  # NOT_ENOUGH_SPACE
        252,  # TOO_MANY_PARTS
        285,  # TOO_FEW_LIVE_REPLICAS
        319,  # UNKNOWN_STATUS_OF_INSERT
        394,  # QUERY_WAS_CANCELLED
        497,  # ACCESS_DENIED
        516,  # AUTHENTICATION_FAILED
        999,  # KEEPER_EXCEPTION
    }
)  # fmt: skip
"""Error codes of ClickHouse that speak of its state, not of what it was given."""


class Refused(Exception):  # noqa: N818 - an answer of the store, not a failure of ours
    """The store does not take what it was given; `code` is ClickHouse's."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Address:
    """A store's URL, taken apart. `path` is set for the embedded engine only."""

    path: Path | None = None
    host: str = ""
    port: int = 0
    username: str = "default"
    password: str = ""
    database: str = DATABASE
    secure: bool = False

    @classmethod
    def parse(cls, url: str) -> Address:
        """Raises ConfigError for a URL of another kind."""
        parts = urlsplit(url)
        if parts.scheme == "chdb" and not parts.netloc and len(parts.path) > 1:
            return cls(path=Path(unquote(parts.path)))
        if parts.scheme in ("clickhouse", "clickhouses") and parts.hostname:
            secure = parts.scheme == "clickhouses"
            return cls(
                host=parts.hostname,
                port=parts.port or (8443 if secure else 8123),
                username=unquote(parts.username or "default"),
                password=unquote(parts.password or ""),
                database=parts.path.strip("/") or DATABASE,
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

    Errors: StoreUnavailable where asking again may help, Refused where it will not.
    """

    def __init__(self, address: Address, *, writes: bool = True) -> None:
        self.address = address
        self._writes = writes
        self.database = address.database
        self._of_thread = threading.local()
        self._clients: list[Client] = []
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
        self, sql: str, parameters: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """The rows of a query, by column name."""
        with self._client() as client:
            result = client.query(sql, parameters=dict(parameters or {}))
            return list(result.named_results())

    def raw(self, sql: str, *, fmt: str) -> bytes:
        """The result of a query in one of ClickHouse's formats."""
        with self._client() as client:
            return client.raw_query(sql, fmt=fmt)

    def insert(
        self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> None:
        """Insert rows."""
        with self._client() as client:
            client.insert(table, rows, column_names=columns)

    def insert_bytes(
        self, table: str, data: bytes, *, fmt: str, settings: Mapping[str, Any]
    ) -> None:
        """Insert bytes that are in one of ClickHouse's formats."""
        with self._client() as client:
            client.raw_insert(
                table, insert_block=data, fmt=fmt, settings=dict(settings)
            )

    def close(self) -> None:
        """Close every connection; the embedded engine stops with the last."""
        with self._lock:
            clients, self._clients = self._clients, []
        for client in clients:
            client.close()

    @contextmanager
    def _client(self) -> Iterator[Client]:
        try:
            yield self._connected()
        except DatabaseError as error:
            code = error.code or 0
            if code in TRANSIENT:
                raise StoreUnavailable(f"{self.address}: {_brief(error)}") from error
            raise Refused(_brief(error), code) from error
        except (ClickHouseError, OSError) as error:
            raise StoreUnavailable(f"{self.address}: {_brief(error)}") from error

    def _connected(self) -> Client:
        client: Client | None = getattr(self._of_thread, "client", None)
        if client is None:
            client = self._connect()
            self._of_thread.client = client
            with self._lock:
                self._clients.append(client)
        return client

    def _connect(self) -> Client:
        address = self.address
        if address.path is not None:
            address.path.mkdir(parents=True, exist_ok=True)
            client = clickhouse_connect.get_client(
                interface="chdb", path=str(address.path)
            )
            return self._in_database(client)
        client = clickhouse_connect.get_client(
            host=address.host,
            port=address.port,
            username=address.username,
            password=address.password,
            secure=address.secure,
            autogenerate_session_id=False,
        )
        return self._in_database(client)

    def _in_database(self, client: Client) -> Client:
        if self._writes:
            client.command(f"CREATE DATABASE IF NOT EXISTS {self.database}")
        client.database = self.database
        return client


def _brief(error: Exception) -> str:
    """What went wrong, without the query that the server repeats."""
    text = str(error)
    return text if len(text) < _LONGEST else f"{text[:_LONGEST]} …"


def _redacted(url: str) -> str:
    parts = urlsplit(url)
    return url.replace(parts.password, "***") if parts.password else url
