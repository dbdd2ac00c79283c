"""What can become of a request, and how HTTP and gRPC say it.

The statuses are those of the OTLP specification
(https://opentelemetry.io/docs/specs/otlp/, "Failures" under OTLP/gRPC and
OTLP/HTTP). Overload is 503 and not 429: both may be retried, but 503 is what
a server says of itself, while 429 blames the sender for its own rate.
"""

from __future__ import annotations

import logging
from enum import Enum

from google.rpc import code_pb2

from farthing.errors import BadPayload, FarthingError, Overloaded, TooLarge

# Exporters have 10 s for all attempts together (OTEL_EXPORTER_OTLP_TIMEOUT), and drop
# the batch at once when told to wait longer than is left of it.
MAX_WAIT_S = 3

_log = logging.getLogger(__name__)


class Outcome(Enum):
    """One ending of a request: metric label, HTTP status, `google.rpc.Code`."""

    ACCEPTED = "accepted", 200, code_pb2.OK
    IGNORED = "ignored", 200, code_pb2.OK
    SERVED = "served", 200, code_pb2.OK
    MALFORMED = "malformed", 400, code_pb2.INVALID_ARGUMENT
    UNAUTHORIZED = "unauthorized", 401, code_pb2.UNAUTHENTICATED
    NOT_FOUND = "not_found", 404, code_pb2.UNIMPLEMENTED
    NOT_ALLOWED = "not_allowed", 405, code_pb2.UNIMPLEMENTED
    TIMED_OUT = "timed_out", 408, code_pb2.DEADLINE_EXCEEDED
    TOO_LARGE = "too_large", 413, code_pb2.RESOURCE_EXHAUSTED
    UNSUPPORTED = "unsupported", 415, code_pb2.INVALID_ARGUMENT
    # Nobody is left to be told: the status is for form's sake.
    DISCONNECTED = "disconnected", 499, code_pb2.CANCELLED
    OVERLOADED = "overloaded", 503, code_pb2.UNAVAILABLE
    FAILED = "failed", 503, code_pb2.UNAVAILABLE

    def __init__(self, label: str, http_status: int, code: int) -> None:
        self.label = label
        self.http_status = http_status
        self.code = code


class Refused(FarthingError):
    """A request that is answered with anything but success.

    The message is for whoever runs the sender: what is wrong, what to do.
    `headers` go into an HTTP answer (`Allow`, `WWW-Authenticate`).
    """

    def __init__(
        self,
        outcome: Outcome,
        message: str,
        *,
        retry_after_s: int | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.retry_after_s = retry_after_s
        self.headers = headers


class Disconnected(FarthingError):
    """The sender went away before its request was complete: nobody to answer."""


def refusal(error: Exception) -> Refused:
    """Translate what went wrong behind the edge; the unexpected is logged.

    A bug or a broken disk of ours is answered like overload: the sender's data
    is not at fault, so it should be kept and sent again.
    """
    match error:
        case Refused():
            return error
        case TooLarge():
            return Refused(Outcome.TOO_LARGE, str(error))
        case BadPayload():
            return Refused(Outcome.MALFORMED, str(error))
        case Overloaded():
            wait_s = min(error.retry_after_s, MAX_WAIT_S)
            return Refused(Outcome.OVERLOADED, str(error), retry_after_s=wait_s)
        case _:
            _log.error("a request could not be stored", exc_info=error)
            message = "the collector could not store the request; its log says why"
            return Refused(Outcome.FAILED, message, retry_after_s=MAX_WAIT_S)
