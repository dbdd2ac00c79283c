"""Servers that the tests of the HTTP interface share: one that writes, one that reads.

The one that reads serves a database `ledger` that the other program filled before;
`secret` stands for a database that is not served.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
import urllib3

from tests.clickhouse_server import ClickHouseServer, clickhouse_server

SEED = (
    "CREATE DATABASE ledger",
    "CREATE DATABASE secret",
    "CREATE TABLE secret.t (a UInt64) ENGINE = MergeTree ORDER BY a",
    (
        "CREATE TABLE ledger.spans (id UInt64, model LowCardinality(String), "
        "cost Decimal(18, 9), at DateTime64(3, 'UTC'), tags Map(String, String)) "
        "ENGINE = MergeTree ORDER BY id"
    ),
    (
        "INSERT INTO ledger.spans SELECT number, concat('m', toString(number % 3)), "
        "number / 8, toDateTime64('2026-01-01 00:00:00', 3, 'UTC') + number, "
        "map('n', toString(number)) FROM numbers(1000)"
    ),
    (
        "CREATE VIEW ledger.models AS "
        "SELECT model, sum(cost) AS cost FROM ledger.spans GROUP BY model"
    ),
    (
        "CREATE DICTIONARY ledger.names (id UInt64, model String) PRIMARY KEY id "
        "SOURCE(CLICKHOUSE(TABLE 'spans' DB 'ledger')) LAYOUT(FLAT()) LIFETIME(0)"
    ),
)


@dataclass(frozen=True)
class Reply:
    """What came back over the wire, the body as it was sent."""

    status: int
    headers: urllib3.HTTPHeaderDict
    body: bytes

    @property
    def code(self) -> int:
        """ClickHouse's error code; 0 without an error."""
        return int(self.headers.get("X-ClickHouse-Exception-Code", "0"))

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Wire:
    """Requests as curl sends them."""

    server: ClickHouseServer
    pool: urllib3.PoolManager

    def send(
        self,
        body: bytes | str | None = None,
        *,
        method: str = "POST",
        path: str = "/",
        headers: dict[str, str] | None = None,
        **params: Any,
    ) -> Reply:
        """One request; `params` go into the URL."""
        response = self.pool.request(
            method,
            f"{self.server.url}{path}?{urlencode(params)}",
            body=body,
            headers=headers or {},
            decode_content=False,
        )
        return Reply(response.status, response.headers, response.data)

    def value(self, sql: str, **params: Any) -> str:
        """The text of a result of one value."""
        reply = self.send(sql, **params)
        assert reply.status == 200, reply.body
        return reply.body.decode().rstrip("\n")


@pytest.fixture(scope="session")
def pool() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False, maxsize=8) as manager:
        yield manager


@pytest.fixture(scope="session")
def writable(
    tmp_path_factory: pytest.TempPathFactory, pool: urllib3.PoolManager
) -> Iterator[Wire]:
    with clickhouse_server(tmp_path_factory.mktemp("w"), writable=True) as server:
        yield Wire(server, pool)


@pytest.fixture(scope="session")
def ledger_folder(
    tmp_path_factory: pytest.TempPathFactory, pool: urllib3.PoolManager
) -> Any:
    folder = tmp_path_factory.mktemp("ledger")
    with clickhouse_server(folder, writable=True) as server:
        for statement in SEED:
            reply = Wire(server, pool).send(statement)
            assert reply.status == 200, reply.body
    return folder


@pytest.fixture(scope="session")
def reading(ledger_folder: Any, pool: urllib3.PoolManager) -> Iterator[Wire]:
    limits = {
        "max_request_bytes": 4_000_000,
        "max_result_rows": 100_000,
        "max_result_bytes": 10_000_000,
    }
    with clickhouse_server(ledger_folder, database="ledger", limits=limits) as server:
        yield Wire(server, pool)
