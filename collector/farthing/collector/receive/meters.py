"""What the receiver measures of itself. Label sets are closed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

from farthing.collector.receive.outcomes import Outcome

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

NO_SIGNAL = "none"  # a request to a path or method that belongs to no signal
_ACK_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


@dataclass(frozen=True)
class TransportMeters:
    """One transport's meters."""

    transport: str
    requests: Counter
    request_bytes: Counter
    ack_seconds: Histogram

    def done(self, signal: str, outcome: Outcome, *, started_s: float) -> None:
        """Count a request that began at `started_s` (of `time.perf_counter`)."""
        self.requests.labels(self.transport, signal, outcome.label).inc()
        if outcome is Outcome.ACCEPTED:
            self.ack_seconds.observe(time.perf_counter() - started_s)


@dataclass(frozen=True)
class ReceiveMeters:
    """The receiver's metrics, registered in one registry."""

    http: TransportMeters
    grpc: TransportMeters
    http_wire_bytes: Counter
    spans: Counter
    in_flight_requests: Gauge
    in_flight_bytes: Gauge

    @classmethod
    def register(cls, registry: CollectorRegistry) -> ReceiveMeters:
        """Make the metrics; raises ValueError if the registry has them already."""
        http, grpc = _transports(registry)
        return cls(
            http=http,
            grpc=grpc,
            http_wire_bytes=Counter(
                "farthing_receive_http_wire_bytes",
                "Bytes of HTTP bodies as sent, before decompression.",
                registry=registry,
            ),
            spans=Counter(
                "farthing_receive_spans", "Spans acknowledged.", registry=registry
            ),
            in_flight_requests=Gauge(
                "farthing_receive_in_flight_requests",
                "Requests being read, checked or stored.",
                registry=registry,
            ),
            in_flight_bytes=Gauge(
                "farthing_receive_in_flight_bytes",
                "Bytes of requests in memory, decompressed.",
                registry=registry,
            ),
        )


def _transports(registry: CollectorRegistry) -> Iterator[TransportMeters]:
    requests = Counter(
        "farthing_receive_requests",
        "Requests answered, by what became of them.",
        ("transport", "signal", "outcome"),
        registry=registry,
    )
    request_bytes = Counter(
        "farthing_receive_request_bytes",
        "Bytes of requests, decompressed.",
        ("transport",),
        registry=registry,
    )
    ack_seconds = Histogram(
        "farthing_receive_ack_seconds",
        "From first sight of a request to its durable acknowledgement.",
        ("transport",),
        buckets=_ACK_BUCKETS_S,
        registry=registry,
    )
    for transport in ("http", "grpc"):
        yield TransportMeters(
            transport=transport,
            requests=requests,
            request_bytes=request_bytes.labels(transport),
            ack_seconds=ack_seconds.labels(transport),
        )
