"""The benchmark's generator against our own receiver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from benchmarks.ingest.generator import Load, send
from farthing.collector.receive.serve import serve
from farthing.collector.receive.settings import ReceiveSettings
from farthing.collector.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("protocol", ["http", "grpc"])
@pytest.mark.parametrize("spans", [1, 512])
async def test_all_is_acknowledged_once(
    tmp_path: Path, protocol: str, spans: int
) -> None:
    """What the generator counts as acknowledged is in the spool, each request once."""
    spool = Spool(tmp_path)
    settings = ReceiveSettings(http_port=0, grpc_port=0)
    async with serve(
        settings, spool, registry=CollectorRegistry(), why_not_ready=lambda: None
    ) as endpoints:
        port = endpoints.grpc_port if protocol == "grpc" else endpoints.http_port
        acknowledged = await send(
            Load(protocol=protocol, port=port, requests=30, spans=spans, connections=3)
        )
    batch = spool.next_batch(max_bytes=1 << 30)
    spool.close()
    assert batch is not None
    assert len(set(batch.requests)) == acknowledged.requests == 30
    assert acknowledged.spans == 30 * spans
    assert 0 < acknowledged.ack_p50_s <= acknowledged.ack_p99_s
