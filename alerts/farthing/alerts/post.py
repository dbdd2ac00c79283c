"""One POST to a provider, and what its answer means for a retry.

The only module that knows HTTP. Every failure becomes a DeliveryError with a reason;
nothing that is raised or logged holds a secret.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import requests

from farthing.alerts.secret import redact
from farthing.errors import DeliveryError, Reason

TIMEOUT_S: Final = 10.0
JSON_TYPE: Final = "application/json; charset=utf-8"
FORM_TYPE: Final = "application/x-www-form-urlencoded"
_MAX_ANSWER_BYTES: Final = 64 * 1024
_MAX_DETAIL: Final = 300
_USER_AGENT: Final = "farthing"

_REASONS: Final[Mapping[int, Reason]] = {
    401: Reason.UNAUTHORIZED,
    403: Reason.UNAUTHORIZED,
    404: Reason.NOT_FOUND,
    408: Reason.TIMEOUT,
    410: Reason.NOT_FOUND,
    413: Reason.TOO_LARGE,
    425: Reason.SERVER_ERROR,
    429: Reason.RATE_LIMITED,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider said with a status of 2xx."""

    status: int
    body: str

    def json(self) -> dict[str, Any]:
        """The body as an object; DeliveryError (bad_answer) for anything else, such as
        the page of a proxy."""
        try:
            value = json.loads(self.body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise DeliveryError(Reason.BAD_ANSWER, "the answer is not a JSON object")
        return value


class Poster:
    """Posts to one provider.

    `timeout_s` bounds connecting, each wait for bytes and the reading of the answer.
    `secrets` are redacted from whatever is said about a failure. Proxies and
    certificate bundles come from the usual variables (HTTPS_PROXY, REQUESTS_CA_BUNDLE);
    redirects are not followed: a secret goes where the operator sent it and nowhere
    else. Use it from one thread at a time.
    """

    def __init__(
        self, *, timeout_s: float = TIMEOUT_S, secrets: Iterable[str] = ()
    ) -> None:
        self._timeout_s = timeout_s
        self._secrets = tuple(secrets)
        self._session = requests.Session()
        self._session.headers["User-Agent"] = _USER_AGENT
        # requests would put what ~/.netrc has for the host over our own Authorization;
        # an authentication that does nothing keeps it from looking.
        self._session.auth = _as_it_is

    def post_json(
        self, url: str, value: Any, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """POST `value` as JSON. Raises DeliveryError unless the status is 2xx."""
        return self.post(url, as_json(value), headers=headers)

    def post(
        self, url: str, body: bytes, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """POST `body`, which is JSON unless `headers` say otherwise. Raises
        DeliveryError unless the status is 2xx."""
        sent = {"Content-Type": JSON_TYPE} | dict(headers or {})
        try:
            return self._post(url, body, headers=sent)
        except requests.Timeout as error:
            raise self._failure(Reason.TIMEOUT, error) from None
        except (requests.exceptions.InvalidURL, ValueError) as error:
            raise self._failure(Reason.REJECTED, error) from None
        except requests.RequestException as error:
            raise self._failure(Reason.CONNECTION, error) from None

    def close(self) -> None:
        """Give up the connections that are kept open."""
        self._session.close()

    def _post(self, url: str, body: bytes, *, headers: Mapping[str, str]) -> Answer:
        deadline_s = time.monotonic() + self._timeout_s
        with self._session.post(
            url,
            data=body,
            headers=headers,
            timeout=self._timeout_s,
            allow_redirects=False,
            stream=True,
        ) as response:
            text = _read(response, deadline_s)
            if not 200 <= response.status_code < 300:
                raise self._refusal(response, text)
            return Answer(response.status_code, text)

    def _failure(self, reason: Reason, error: Exception) -> DeliveryError:
        cause = _cause(error)
        return DeliveryError(reason, self._told(f"{type(cause).__name__}: {cause}"))

    def _refusal(self, response: requests.Response, text: str) -> DeliveryError:
        status = response.status_code
        return DeliveryError(
            reason_of(status),
            self._told(f"HTTP {status}: {' '.join(text.split())}"),
            retry_after_s=retry_after_s(
                response.headers.get("Retry-After"), now=lambda: datetime.now(UTC)
            ),
        )

    def _told(self, text: str) -> str:
        return redact(text, self._secrets)[:_MAX_DETAIL]


def _cause(error: Exception) -> Exception:
    """What urllib3 says of a connection, without the address that it adds on its way:
    the path of a webhook is its password."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return reason if isinstance(reason, Exception) else error


def as_json(value: Any) -> bytes:
    """JSON as it goes over the wire: compact, UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def reason_of(status: int) -> Reason:
    """What a status that is not 2xx means."""
    if status >= 500:
        return Reason.SERVER_ERROR
    return _REASONS.get(status, Reason.REJECTED)


def retry_after_s(value: str | None, *, now: Callable[[], datetime]) -> float | None:
    """Seconds to wait by a Retry-After header, which is a number of seconds or a date
    (RFC 9110, 10.2.3); None where it is absent or neither."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - now()).total_seconds())


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _read(response: requests.Response, deadline_s: float) -> str:
    """The body, at most 64 kB of it; a Timeout if it drips in past the deadline.

    Byte by byte, from the buffer below: to ask for more would wait for all of it.
    """
    read = bytearray()
    for byte in response.iter_content(1):
        read += byte
        if time.monotonic() > deadline_s:
            raise requests.ReadTimeout("the answer did not end in time")
        if len(read) >= _MAX_ANSWER_BYTES:
            break
    return read.decode(errors="replace")
