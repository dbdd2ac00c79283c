"""Sends requests to an OTLP/HTTP receiver, as fast as it acknowledges them."""

from __future__ import annotations

import gzip
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceResponse,
)

from farthing.collector.receive.otlp import check_request
from farthing.errors import BadPayload, ConfigError, Overloaded

_PATH: Final = "/v1/traces"
_CONNECTIONS: Final = 4
_TIMEOUT_S: Final = 30.0
_GZIP_LEVEL: Final = 1  # telemetry shrinks tenfold at the fastest level already
# Of these the specification says that the sender may try again.
_RETRYABLE: Final = frozenset({429, 502, 503, 504})
_LONGEST_WAIT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Sent:
    """What was acknowledged; `rejected_spans` of it were refused (partial success)."""

    spans: int = 0
    requests: int = 0
    rejected_spans: int = 0

    def __add__(self, other: Sent) -> Sent:
        return Sent(
            self.spans + other.spans,
            self.requests + other.requests,
            self.rejected_spans + other.rejected_spans,
        )


Progress = Callable[[Sent], None]
"""Called after each acknowledgement, one call at a time, with all that was sent."""


def send(
    requests: Iterable[bytes],
    url: str,
    *,
    token: str | None = None,
    trusted: ssl.SSLContext | None = None,
    progress: Progress | None = None,
    patience_s: float = 60.0,
    wait: Callable[[float], None] = time.sleep,
) -> Sent:
    """Send every request, each an `ExportTraceServiceRequest`, to `url`.

    `url` is the receiver's base (`http://host:4318`) or its full traces path. A few
    connections are kept open; requests overtake each other. `trusted` says which
    certificates it may have, instead of the usual. A receiver that says it is
    busy, or is gone, is asked again for up to `patience_s` per request.

    Raises:
        BadPayload: a request was refused for good; says why.
        ConfigError: `url` is no HTTP address, nobody is there, or the token is wrong.
        Overloaded: the receiver was still busy after `patience_s`.
    """
    target = _Target.parse(url, token, trusted)
    sender = _Sender(requests, target, progress, patience_s, wait)
    with ThreadPoolExecutor(_CONNECTIONS, "farthing-send") as pool:
        workers = [pool.submit(sender.work) for _ in range(_CONNECTIONS)]
        try:
            for worker in workers:
                worker.result()
        finally:  # Ctrl-C, too: the pool waits for its threads
            sender.stop()
    return sender.sent


@dataclass(frozen=True, slots=True)
class _Target:
    """Where requests go, and what each says of itself."""

    url: str
    host: str
    port: int | None
    path: str
    is_tls: bool
    headers: dict[str, str]
    trusted: ssl.SSLContext | None

    @classmethod
    def parse(
        cls, url: str, token: str | None, trusted: ssl.SSLContext | None
    ) -> _Target:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(
                f"{url!r} is not the address of a receiver: http://127.0.0.1:4318 is"
            )
        path = parts.path.rstrip("/")
        headers = {
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "gzip",
            "User-Agent": "farthing-replay",
        }
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return cls(
            url=url,
            host=parts.hostname,
            port=parts.port,
            path=path if path.endswith(_PATH) else path + _PATH,
            is_tls=parts.scheme == "https",
            headers=headers,
            trusted=trusted,
        )

    def connect(self) -> http.client.HTTPConnection:
        if self.is_tls:
            return http.client.HTTPSConnection(
                self.host,
                self.port,
                timeout=_TIMEOUT_S,
                context=self.trusted or ssl.create_default_context(),
            )
        return http.client.HTTPConnection(self.host, self.port, timeout=_TIMEOUT_S)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    retry_after: str
    body: bytes


class _Sender:
    """One iterator of requests, shared by the threads that send them."""

    def __init__(
        self,
        requests: Iterable[bytes],
        target: _Target,
        progress: Progress | None,
        patience_s: float,
        wait: Callable[[float], None],
    ) -> None:
        self.sent = Sent()
        self._requests = iter(requests)
        self._target = target
        self._progress = progress
        self._patience_s = patience_s
        self._wait = wait
        self._lock = threading.Lock()
        self._is_over = False

    def work(self) -> None:
        """Send until there are no more requests, or until some thread has failed."""
        connection = self._target.connect()
        try:
            for request in self._taken():
                spans, _ = check_request(request)
                rejected = self._deliver(
                    connection, gzip.compress(request, _GZIP_LEVEL)
                )
                self._count(Sent(spans, 1, rejected))
        except BaseException:
            self.stop()
            raise
        finally:
            connection.close()

    def stop(self) -> None:
        """Take no further request."""
        self._is_over = True

    def _taken(self) -> Iterator[bytes]:
        while True:
            with self._lock:
                request = None if self._is_over else next(self._requests, None)
            if request is None:
                return
            yield request

    def _count(self, sent: Sent) -> None:
        with self._lock:
            self.sent += sent
            if self._progress is not None:
                self._progress(self.sent)

    def _deliver(self, connection: http.client.HTTPConnection, body: bytes) -> int:
        """Send one body until it is acknowledged; returns the spans refused of it."""
        waited_s, backoff_s = 0.0, 0.1
        while True:
            answer, problem = self._try(connection, body)
            if answer is not None and answer.status not in _RETRYABLE:
                return self._accepted(answer)
            pause_s = _retry_after_s(answer) or backoff_s
            if waited_s + pause_s > self._patience_s:
                raise self._gave_up(answer, problem)
            self._wait(pause_s)
            waited_s, backoff_s = (
                waited_s + pause_s,
                min(2 * backoff_s, _LONGEST_WAIT_S),
            )

    def _try(
        self, connection: http.client.HTTPConnection, body: bytes
    ) -> tuple[_Answer | None, str]:
        """The answer, if one came, and what to call it when it does not help."""
        try:
            answer = self._post(connection, body)
        except (ConnectionRefusedError, socket.gaierror) as error:
            connection.close()
            if not self.sent.requests:  # nobody was ever there: no use in waiting
                raise self._gave_up(None, f"cannot be reached ({error})") from error
            return None, f"is gone ({error})"
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            if _is_other_protocol(error):
                raise ConfigError(
                    f"{self._target.url} does not speak OTLP/HTTP: name that port of"
                    " the receiver, such as http://127.0.0.1:4318 (4317 is gRPC's)"
                ) from error
            return None, f"does not answer ({error})"
        return answer, f"answers {answer.status}"

    def _post(self, connection: http.client.HTTPConnection, body: bytes) -> _Answer:
        connection.request("POST", self._target.path, body, self._target.headers)
        response = connection.getresponse()
        retry_after = response.headers.get("Retry-After", "")
        return _Answer(response.status, retry_after, response.read())

    def _accepted(self, answer: _Answer) -> int:
        url = self._target.url
        if answer.status in (401, 403):
            raise ConfigError(f"{url} wants a token, and this is not it: set --token")
        if answer.status == 404:
            raise ConfigError(f"{url} is not an OTLP receiver: it has no {_PATH}")
        if answer.status != 200:
            raise BadPayload(
                f"{url} refused a request with {answer.status}: {_reason(answer.body)}"
            )
        return _rejected_spans(answer.body)

    def _gave_up(self, answer: _Answer | None, problem: str) -> Exception:
        url = self._target.url
        if answer is None:
            return ConfigError(f"{url} {problem}: is the collector up (`farthing up`)?")
        return Overloaded(f"{url} {problem} after {self._patience_s:g} s")


def _is_other_protocol(error: Exception) -> bool:
    """Whether an answer came, but none of HTTP/1: it would come again and again."""
    is_gone = isinstance(error, http.client.RemoteDisconnected)
    return isinstance(error, http.client.BadStatusLine) and not is_gone


def _retry_after_s(answer: _Answer | None) -> float:
    """Seconds that the receiver asks for; 0 if it does not, or names a date."""
    if answer is None or not answer.retry_after.isdecimal():
        return 0.0
    return min(float(answer.retry_after), _LONGEST_WAIT_S)


def _reason(body: bytes) -> str:
    """The message of a `google.rpc.Status`; other bodies as they are."""
    try:
        message: str = Status.FromString(body).message
    except DecodeError:
        message = ""
    said = message or body[:200].decode(errors="replace")
    return "".join(filter(str.isprintable, said)) or "it does not say why"


def _rejected_spans(body: bytes) -> int:
    try:
        response = ExportTraceServiceResponse.FromString(body)
    except DecodeError:  # a receiver that answers 200 with something else
        return 0
    rejected: int = response.partial_success.rejected_spans
    return rejected
