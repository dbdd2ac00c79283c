"""What the answer to one POST means."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.alerts.channel import Rate
from farthing.alerts.pace import Pace, retry_in_s
from farthing.alerts.post import Poster, reason_of, retry_after_s
from farthing.errors import DeliveryError, Reason

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@given(st.integers(300, 599))
def test_every_status_has_a_reason(status: int) -> None:
    """Those that a later attempt may change are retryable, no other."""
    passes = status in {408, 425, 429} or status >= 500
    assert reason_of(status).retryable is passes


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("30", 30.0),
        (" 0 ", 0.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(hours=1), usegmt=True), 0.0),
        ("9" * 400, 999_999_999.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(
    value: str | None, seconds: float | None
) -> None:
    """And whatever else stands there is nothing (RFC 9110, 10.2.3)."""
    assert retry_after_s(value, now=lambda: NOW) == seconds


@given(st.integers(0, 10_000), st.floats(0, 1), st.none() | st.floats(0, 1e9))
def test_a_retry_is_never_earlier_than_asked_nor_later_than_an_hour(
    attempts: int, jitter: float, asked_s: float | None
) -> None:
    """It is at least half the back-off, and Retry-After wins where it is longer."""
    error = DeliveryError(Reason.RATE_LIMITED, "", retry_after_s=asked_s)
    wait_s = retry_in_s(error, attempts, jitter=lambda: jitter)
    assert 0.5 <= wait_s <= 3_600
    assert wait_s >= min(asked_s or 0, 3_600)


@given(st.lists(st.floats(0, 5), max_size=60), st.floats(0.1, 10), st.integers(1, 20))
def test_no_window_holds_more_than_the_rate_allows(
    gaps: list[float], per_s: float, burst: int
) -> None:
    """However sends are spread, the first n take at least (n - burst) / rate."""
    now = NOW
    pace = Pace(Rate(per_s, burst), now=now)
    for sent, gap in enumerate(gaps, start=1):
        now += timedelta(seconds=gap)
        now += timedelta(seconds=pace.wait_s(now))
        pace.sends(now)
        passed_s = (now - NOW).total_seconds()
        assert passed_s >= (sent - burst) / per_s - 1e-3


def test_an_address_that_does_not_answer_is_told_without_its_path() -> None:
    """The path of a webhook is its password, and not even needed to find the host."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DeliveryError) as caught:
        Poster().post_json(f"http://127.0.0.1:{port}/services/sesame", {})
    assert caught.value.reason is Reason.CONNECTION
    assert f"port={port}" in str(caught.value)
    assert "Connection refused" in str(caught.value)
    assert "sesame" not in str(caught.value)
