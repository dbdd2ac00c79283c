"""From a transport to the spool: what HTTP and gRPC have in common."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from farthing.collector.receive.otlp import check_request
from farthing.errors import Overloaded

if TYPE_CHECKING:
    from farthing.collector.receive.meters import ReceiveMeters

HOW_TO_AUTHORIZE = (
    "this collector wants its token: set OTEL_EXPORTER_OTLP_HEADERS="
    "Authorization=Bearer%20<token>"
)


class Spool(Protocol):
    """Where requests wait, durably, for the ledger."""

    async def append(self, request: bytes, /) -> None:
        """Return once `request`, an `ExportTraceServiceRequest`, is durable.

        May be cancelled while it waits, when the sender gives up; whether the
        request is then kept does not matter, since nobody was told.

        Raises:
            Overloaded: there is no room now.
        """


class Hold:
    """The memory that one request takes out of the receiver's budget."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self.size_bytes = 0

    def grow(self, more_bytes: int) -> None:
        """Take `more_bytes`; raises Overloaded when all requests hold too much."""
        self._intake.take(more_bytes)
        self.size_bytes += more_bytes


class Intake:
    """Checks requests and hands them to the spool, within a budget of memory."""

    def __init__(
        self, spool: Spool, meters: ReceiveMeters, *, max_in_flight_bytes: int
    ) -> None:
        self._spool = spool
        self._meters = meters
        self._max_in_flight_bytes = max_in_flight_bytes
        self._in_flight_bytes = 0
        self._in_flight_requests = 0
        meters.in_flight_bytes.set_function(lambda: self._in_flight_bytes)
        meters.in_flight_requests.set_function(lambda: self._in_flight_requests)

    @contextmanager
    def hold(self) -> Iterator[Hold]:
        """Account for one request, from its first byte to its answer."""
        hold = Hold(self)
        self._in_flight_requests += 1
        try:
            yield hold
        finally:
            self._in_flight_requests -= 1
            self._in_flight_bytes -= hold.size_bytes

    def take(self, more_bytes: int) -> None:
        """Take memory out of the budget; see `Hold.grow`."""
        if self._in_flight_bytes + more_bytes > self._max_in_flight_bytes:
            raise Overloaded(
                "the collector holds as many requests as it may"
                f" ({self._max_in_flight_bytes} bytes): send again",
                retry_after_s=1,
            )
        self._in_flight_bytes += more_bytes

    async def accept(self, request: bytes, /) -> str:
        """Check `request` and return when the spool has it, with what its sender should
        know, mostly nothing.

        Raises:
            BadPayload: it is not an `ExportTraceServiceRequest`.
            Overloaded: the spool has no room.
        """
        spans, warning = check_request(request)
        if spans:
            await self._spool.append(request)
            self._meters.spans.inc(spans)
        return warning


def is_authorized(authorization: bytes | None, token: str | None) -> bool:
    """Whether an `Authorization` header carries the token, if one is set."""
    if token is None:
        return True
    scheme, _, credentials = (authorization or b"").partition(b" ")
    given = credentials.strip() if scheme.lower() == b"bearer" else b""
    return hmac.compare_digest(given, token.encode())
