"""Both transports, one spool, one event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from farthing.collector.receive.http_server import listen, serve_http
from farthing.collector.receive.intake import Intake, Spool
from farthing.collector.receive.meters import ReceiveMeters
from farthing.collector.receive.otlp_grpc import OtlpGrpc, serve_grpc
from farthing.collector.receive.otlp_http import Answers, Documents, OtlpHttp, Readiness

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from farthing.collector.receive.settings import ReceiveSettings


@dataclass(frozen=True)
class Endpoints:
    """Where the receiver listens."""

    http_port: int
    grpc_port: int


@asynccontextmanager
async def serve(
    settings: ReceiveSettings,
    spool: Spool,
    *,
    registry: CollectorRegistry,
    why_not_ready: Readiness,
    documents: Documents | None = None,
    answers: Answers | None = None,
) -> AsyncIterator[Endpoints]:
    """Receive while the block runs; at its end, finish what is in flight.

    Close the spool after this, not before.

    Raises:
        ConfigError: a port is taken, or the certificate does not load.
    """
    limits, token = settings.limits, settings.token
    meters = ReceiveMeters.register(registry)
    intake = Intake(spool, meters, max_in_flight_bytes=limits.max_in_flight_bytes)
    over_grpc = OtlpGrpc(intake, meters=meters.grpc, token=token)
    over_http = OtlpHttp(
        intake,
        meters=meters,
        limits=limits,
        token=token,
        registry=registry,
        why_not_ready=why_not_ready,
        documents=documents,
        answers=answers,
    )
    with listen(settings.http_host, settings.http_port, option="http_port") as listener:
        http_port = listener.getsockname()[1]
        async with (
            serve_http(over_http, listener, limits=limits, tls=settings.tls),
            serve_grpc(over_grpc, settings) as grpc_port,
        ):
            yield Endpoints(http_port, grpc_port)
