"""One channel and what waits for it: what is tried again, when, and what is given up.

- A failure that passes by itself (timeouts, 429, 5xx) is tried again, twice as late
  each time, or when the provider says; until 24 hours after what it tells of.
- Whatever else fails becomes a dead letter with its reason.
- The fallback of a channel is told of dead letters at once, of what this one is not
  told within five minutes, and of how these alerts end.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from farthing.alerts.alert import Notice, Outbox
from farthing.alerts.channel import Clock, Opened, Reference, Reposting, utc_now
from farthing.alerts.pace import Pace, retry_in_s
from farthing.alerts.picture import Draw
from farthing.errors import DeliveryError, Reason

_log = logging.getLogger(__name__)

GIVEN_UP_AFTER: Final = timedelta(hours=24)
DELIVERED: Final = "delivered"
_SCAN: Final = 100
_IDLE_S: Final = 60.0
_BUSY_S: Final = 1.0
_STORE_AWAY_S: Final = 5.0
_TOLD: Final = "told"
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_ENDS: Final = frozenset({"acknowledge", "resolve"})
Observe = Callable[[str, str], None]
"""Called with a channel's name and what came of an attempt: `delivered` or a Reason."""


def _nobody(channel: str, outcome: str) -> None:
    del channel, outcome


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all destinations share."""

    outbox: Outbox
    clock: Clock = utc_now
    observe: Observe = _nobody
    draw: Draw | None = None


class Destination:
    """Takes one channel's notices from the outbox and sends them, one at a time.

    `pictures` is where the picture of what was told goes, once that was.
    """

    def __init__(
        self,
        opened: Opened,
        surroundings: Surroundings,
        *,
        pictures: Destination | None = None,
    ) -> None:
        self.name = opened.name
        self._pictures = pictures
        self._opened = opened
        self._channel = opened.channel
        self._outbox = surroundings.outbox
        self._clock = surroundings.clock
        self._observe = surroundings.observe
        self._started_at = self._clock()
        self._pace = Pace(opened.rate, now=self._started_at)
        forgets = isinstance(opened.channel, Reposting)
        self._repost_at = self._started_at if forgets else _NEVER
        self._waiting: deque[Notice] = deque()
        self._diverted: set[str] = set()
        self._unrecorded: Callable[[], None] | None = None
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"deliver-{self.name}", daemon=True
        )

    def start(self) -> None:
        """Deliver from now on, in a thread."""
        self._thread.start()

    def wake(self) -> None:
        """Look now."""
        self._awake.set()

    def ask_to_stop(self) -> None:
        """End after the attempt that is under way."""
        self._stopping.set()
        self._awake.set()

    def join(self, timeout_s: float) -> None:
        """Wait for the end; a channel that hangs is left to the end of the process."""
        self._thread.join(timeout_s)
        if not self._thread.is_alive():
            self._channel.close()

    def step(self) -> float:
        """Do the next thing, which is at most one attempt; seconds until there may be
        another. Raises what the outbox raises: nothing is lost, and what was sent but
        not recorded is recorded by the next step instead of being sent again."""
        self._record()
        now = self._clock()
        wait_s = self._pace.wait_s(now)
        if wait_s > 0:
            return wait_s
        if now >= self._repost_at:
            self._repost(now)
            return 0.0
        if not self._waiting:
            self._waiting.extend(self._due(now))
        if not self._waiting:
            return self._idle_s(now)
        self._deliver(self._waiting.popleft())
        return 0.0

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._awake.clear()
            try:
                wait_s = self.step()
            except Exception:  # noqa: BLE001 - a store that is away comes back
                _log.exception("the outbox does not answer; %s waits", self.name)
                self._waiting.clear()
                wait_s = _STORE_AWAY_S
            if wait_s > 0 and not self._stopping.is_set():
                self._awake.wait(wait_s)

    def _due(self, now: datetime) -> Sequence[Notice]:
        """This channel's; other channels' may stand before them, so the look goes
        deeper until there are some or nothing is left."""
        limit = _SCAN
        while True:
            due = self._outbox.due(now, limit=limit)
            own = [notice for notice in due if notice.channel == self.name]
            if own or len(due) < limit:
                return own
            limit *= 4

    def _idle_s(self, now: datetime) -> float:
        """Until something is due; another channel's may be overdue meanwhile."""
        due_at = self._outbox.next_due()
        due_s = _IDLE_S if due_at is None else (due_at - now).total_seconds()
        repost_s = (self._repost_at - now).total_seconds()
        return min(_IDLE_S, repost_s, due_s if due_s > 0 else _BUSY_S)

    def _deliver(self, notice: Notice) -> None:
        reference = self._outbox.reference(notice.alert.id, self.name)
        if notice.kind in _ENDS and not reference:
            self._drop(notice)
            return
        self._pace.sends(self._clock())
        try:
            sent = self._channel.send(self._as_tried(notice), reference)
        except DeliveryError as error:
            self._failed(notice, error)
        except Exception as error:  # noqa: BLE001 - a bug in one channel is its own
            _log.exception("channel %s failed on %s", self.name, notice.key)
            self._failed(notice, DeliveryError(Reason.INTERNAL, type(error).__name__))
        else:
            self._delivered(notice, sent)

    def _as_tried(self, notice: Notice) -> Notice:
        """What an earlier process left may have been sent by it: to a channel that can
        look, that is an attempt that failed."""
        inherited = not notice.attempts and notice.next_try < self._started_at
        return replace(notice, attempts=1) if inherited else notice

    def _drop(self, notice: Notice) -> None:
        """The end of what it never heard of, which its fallback may have."""

        def record() -> None:
            self._divert_end(notice)
            self._outbox.done(notice)

        self._record(record)

    def _delivered(self, notice: Notice, sent: Reference) -> None:
        self._pace.succeeded()
        self._diverted.clear()
        self._observe(self.name, DELIVERED)
        reference = {**sent, _TOLD: notice.kind}

        def record() -> None:
            self._divert_end(notice)
            self._outbox.done(notice, reference, then=self._picture_of(notice))

        self._record(record)
        if self._pictures is not None:
            self._pictures.wake()

    def _picture_of(self, notice: Notice) -> Sequence[Notice]:
        """The notice that shows what the run of a new alert costs."""
        has_one = notice.kind == "trigger" and "run_id" in notice.alert.labels
        if self._pictures is None or not has_one:
            return ()
        to = self._pictures.name
        return [replace(notice, channel=to, next_try=self._clock(), attempts=0)]

    def _failed(self, notice: Notice, error: DeliveryError) -> None:
        now = self._clock()
        self._pace.failed(error, now)
        self._observe(self.name, error.reason)
        if not error.retryable:
            self._give_up(notice, error.reason, error)
            return
        retry_at = now + timedelta(seconds=retry_in_s(error, notice.attempts))
        if retry_at - notice.alert.at > GIVEN_UP_AFTER:
            self._give_up(notice, Reason.EXPIRED, error)
            return
        _log.warning("%s is told later: %s", self.name, error)

        def record() -> None:
            self._divert_late(notice, retry_at, error.reason)
            self._outbox.failed(notice, error.reason, retry_at=retry_at)

        self._record(record)

    def _give_up(self, notice: Notice, reason: Reason, error: DeliveryError) -> None:
        _log.error("%s is not told of %s: %s", self.name, notice.alert.title, error)

        def record() -> None:
            self._divert([notice], reason)
            self._outbox.dead(notice, reason)

        self._record(record)

    def _divert_late(self, notice: Notice, retry_at: datetime, reason: Reason) -> None:
        """Tell the fallback of what this channel will not be told in time, also of what
        was not tried, because it stands behind what was."""
        if not self._opened.fallback:
            return
        patience = timedelta(seconds=self._opened.fallback_after_s)
        behind = [n for n in self._due(self._clock()) if n.key != notice.key]
        late = [n for n in (notice, *behind) if retry_at - n.alert.at > patience]
        self._divert([n for n in late if n.key not in self._diverted], reason)

    def _divert_end(self, notice: Notice) -> None:
        """Tell the fallback how an alert ended: it drops what it never heard of."""
        fallback = self._opened.fallback
        if fallback and notice.kind in _ENDS:
            self._outbox.put([replace(notice, channel=fallback, attempts=0, reason="")])

    def _divert(self, notices: Sequence[Notice], reason: Reason) -> None:
        """Tell the fallback; but no report: where incidents are made of what is told,
        nobody would end it."""
        if not self._opened.fallback:
            return
        now = self._clock()
        notices = [n for n in notices if not _is_report(n)]
        self._outbox.put([self._for_fallback(n, reason, now) for n in notices])
        self._diverted |= {notice.key for notice in notices}

    def _for_fallback(self, notice: Notice, reason: Reason, now: datetime) -> Notice:
        told = f"{notice.alert.summary} ({self.name} was not told: {reason}.)".strip()
        return replace(
            notice,
            alert=replace(notice.alert, summary=told),
            channel=self._opened.fallback,
            next_try=now,
            attempts=0,
            reason="",
        )

    def _repost(self, now: datetime) -> None:
        assert isinstance(self._channel, Reposting)
        self._repost_at = now + timedelta(seconds=self._channel.repost_every_s)
        firing = self._outbox.firing(self.name)
        if not firing:
            return
        self._pace.sends(now)
        try:
            self._channel.repost(firing)
        except DeliveryError as error:
            _log.warning("%s is told again later: %s", self.name, error)
            self._pace.failed(error, now)
            self._observe(self.name, error.reason)
        else:
            self._pace.succeeded()

    def _record(self, record: Callable[[], None] | None = None) -> None:
        """Write down what came of an attempt; until that worked there is no other."""
        self._unrecorded = record or self._unrecorded
        if self._unrecorded is not None:
            self._unrecorded()
            self._unrecorded = None


def _is_report(notice: Notice) -> bool:
    """Whether it tells of what was over before anybody heard of it."""
    return notice.kind == "trigger" and notice.alert.state == "resolved"
