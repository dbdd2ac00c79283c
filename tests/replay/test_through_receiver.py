"""The demo's fleet and recorded files through our own receiver."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from farthing.collector.demo.fleet import fleet
from farthing.collector.receive.otlp import check_request
from farthing.collector.receive.serve import serve
from farthing.collector.receive.settings import ReceiveSettings
from farthing.collector.replay.files import read
from farthing.collector.replay.send import send
from farthing.collector.spool import Spool
from farthing.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CAPTURES = Path(__file__).parents[1] / "otlp"
NOW = datetime(2026, 3, 18, 14, 30, tzinfo=UTC)


@asynccontextmanager
async def receiving(spool: Spool, *, token: str | None = None) -> AsyncIterator[str]:
    settings = ReceiveSettings(http_port=0, grpc_port=0, token=token)
    registry = CollectorRegistry()
    async with serve(
        settings, spool, registry=registry, why_not_ready=lambda: None
    ) as endpoints:
        yield f"http://127.0.0.1:{endpoints.http_port}"


async def test_fleet_arrives_whole(tmp_path: Path) -> None:
    """Every span of the fleet is acknowledged and waits in the spool, once."""
    requests = [one.SerializeToString() for one in fleet(NOW, runs=60)]
    spool = Spool(tmp_path)
    async with receiving(spool) as url:
        sent = await asyncio.to_thread(send, requests, url)
    batch = spool.next_batch(max_bytes=1 << 30)
    spool.close()
    assert batch is not None
    assert sorted(batch.requests) == sorted(requests)
    assert sent.spans == sum(check_request(request).spans for request in requests)


async def test_recorded_file_arrives_whole(tmp_path: Path) -> None:
    """A capture is replayed request by request."""
    path = CAPTURES / "official-anthropic.traces.pb"
    spool = Spool(tmp_path)
    async with receiving(spool, token="right") as url:
        sent = await asyncio.to_thread(send, read(path), url, token="right")
        waiting = spool.waiting()
    spool.close()
    assert (sent.requests, sent.spans) == (6, 14)
    assert waiting.requests == 6


async def test_wrong_token_is_told(tmp_path: Path) -> None:
    """A receiver with a token refuses another one, and the sender says what to do."""
    path = CAPTURES / "official-openai.traces.pb"
    spool = Spool(tmp_path)
    async with receiving(spool, token="right") as url:
        with pytest.raises(ConfigError, match="--token"):
            await asyncio.to_thread(send, read(path), url, token="wrong")
    spool.close()
