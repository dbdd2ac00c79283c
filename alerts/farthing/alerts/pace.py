"""How fast a destination is told, and how long one that fails is left alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from farthing.alerts.channel import Rate
from farthing.errors import DeliveryError

FIRST_RETRY_S: Final = 1.0
LAST_RETRY_S: Final = 300.0
LONGEST_PAUSE_S: Final = 60.0
LONGEST_RETRY_AFTER_S: Final = 3_600.0
Jitter = Callable[[], float]
"""A number from 0 to 1, another each time."""


def retry_in_s(
    error: DeliveryError, attempts: int, *, jitter: Jitter = random.random
) -> float:
    """When to try a notice again that failed `attempts` times before: twice as late
    each time, from 1 s to 5 minutes, of which a random half is waited; but never
    earlier than the provider asked for, which is believed up to an hour."""
    backoff_s = min(LAST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(attempts, 30))
    asked_s = min(error.retry_after_s or 0.0, LONGEST_RETRY_AFTER_S)
    return max(asked_s, backoff_s * (0.5 + jitter() / 2))


class Pace:
    """When a destination may next be sent something.

    A token bucket by its rate; and a pause after each failure that passes by itself,
    which is Retry-After if the provider said so, and else grows while nothing succeeds.
    """

    def __init__(self, rate: Rate, *, now: datetime) -> None:
        self._rate = rate
        self._tokens = float(rate.burst)
        self._filled_at = now
        self._paused_until = now
        self._failures = 0

    def wait_s(self, now: datetime) -> float:
        """Seconds until something may be sent; 0 if it may now."""
        paused_s = (self._paused_until - now).total_seconds()
        self._fill(now)
        short = max(0.0, 1.0 - self._tokens)
        return max(0.0, paused_s, short / self._rate.per_s)

    def sends(self, now: datetime) -> None:
        """Something is sent now."""
        self._fill(now)
        self._tokens -= 1.0

    def succeeded(self) -> None:
        """The destination is there."""
        self._failures = 0

    def failed(self, error: DeliveryError, now: datetime) -> None:
        """It is not, or has enough for now. What it will never take says nothing about
        the next notice, which is sent at once."""
        if not error.retryable:
            return
        pause_s = error.retry_after_s
        if pause_s is None:
            pause_s = min(
                LONGEST_PAUSE_S, FIRST_RETRY_S * 2.0 ** min(self._failures, 30)
            )
        self._failures += 1
        pause_s = min(pause_s, LONGEST_RETRY_AFTER_S)
        self._paused_until = now + timedelta(seconds=pause_s)

    def _fill(self, now: datetime) -> None:
        """A clock that is set back adds nothing."""
        passed_s = max(0.0, (now - self._filled_at).total_seconds())
        full = float(self._rate.burst)
        self._tokens = min(full, self._tokens + passed_s * self._rate.per_s)
        self._filled_at = now
