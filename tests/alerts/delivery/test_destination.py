"""From the outbox to the channels: at least once, in order, none in the way of another.

The outbox is the real one, channels are the real ones, and what they talk to are
stand-ins that fail as the real providers do. The clock is ours.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.alerts.alert import Notice
from farthing.alerts.channel import Opened, Rate
from farthing.alerts.deliver import Delivery
from farthing.alerts.destination import Destination, Surroundings
from farthing.alerts.file import AlertFile
from farthing.alerts.outbox import SqliteOutbox
from farthing.collector.demo.pagers import (
    LOST,
    RESET,
    Failure,
    Loopback,
    PagerDutyStandIn,
    Reply,
    SlackStandIn,
)
from farthing.errors import DeliveryError, Reason
from tests.alerts.delivery.notices import FakeClock, alert, life, notice
from tests.alerts.delivery.stepping import Book, Forgetful, Run, opened

BUSY = Failure(Reply(429, "", {"Retry-After": "30"}))
DOWN = Failure(Reply(503, ""))
GONE = Failure(Reply(404, "no_service"))


def test_notices_of_an_alert_arrive_in_order(run: Run) -> None:
    """Each once, however they were put, with what the one before returned."""
    book = Book()
    notices = life()
    run.outbox.put(notices[::-1])
    run.outbox.put(notices)
    run.for_s(1, run.destination(opened(book)))
    assert [one.kind for one in book.sent] == [one.kind for one in notices]
    assert run.outbox.reference(notices[0].alert.id, "c")["before"] == "acknowledge"
    assert run.outcomes == [("c", "delivered")] * 4


def test_a_later_notice_waits_for_the_one_before(run: Run) -> None:
    """While a trigger is tried again its resolve waits; other alerts do not."""
    book = Book(errors=[DeliveryError(Reason.SERVER_ERROR, "")])
    run.outbox.put([*life("a", kinds=("trigger", "resolve")), *life("b")])
    run.for_s(30, run.destination(opened(book)))
    told = {
        name: [n.kind for n in book.sent if n.alert.subject == name] for name in "ab"
    }
    assert told["a"] == ["trigger", "resolve"]
    assert told["b"] == ["trigger", "update", "acknowledge", "resolve"]


def test_what_the_provider_says_is_waited_for(
    run: Run, webhook: Opened, slack: Loopback, workspace: SlackStandIn
) -> None:
    """Retry-After holds for the whole destination: nothing is sent before."""
    slack.fail(BUSY)
    run.outbox.put([notice(of=alert("a")), notice(of=alert("b"))])
    destination = run.destination(webhook)
    run.for_s(29, destination)
    assert len(slack.requests) == 1
    run.for_s(2, destination)
    assert len(workspace.posts) == 2


def test_attempts_grow_rarer(run: Run, webhook: Opened, slack: Loopback) -> None:
    """A provider that is down for an hour is asked about once a minute or less often,
    and then told everything."""
    slack.fail(*[DOWN] * 10)
    run.outbox.put([notice()])
    destination = run.destination(webhook)
    run.for_s(60, destination)
    assert 4 <= len(slack.requests) <= 8
    run.for_s(3_600, destination)
    assert len(slack.requests) == 11
    assert run.outbox.waiting() == 0


def test_a_rate_is_kept(run: Run) -> None:
    """Three at once, then one a second."""
    book = Book()
    run.outbox.put([notice(of=alert(f"run-{n}")) for n in range(20)])
    destination = run.destination(opened(book, rate=Rate(1, burst=3)))
    run.for_s(10, destination)
    assert len(book.sent) == 13


@pytest.mark.parametrize(
    ("failure", "reason"),
    [(GONE, "not_found"), (Failure(Reply(400, "invalid_payload")), "rejected")],
)
def test_what_cannot_be_told_is_a_dead_letter(
    run: Run, webhook: Opened, slack: Loopback, failure: Failure, reason: str
) -> None:
    """It is tried once, kept with its reason, and the next alert is told."""
    slack.fail(failure)
    run.outbox.put([notice(of=alert("a")), notice(of=alert("b"))])
    run.for_s(10, run.destination(webhook))
    [dead] = run.outbox.dead_letters()
    assert (dead.alert.subject, dead.reason) == ("a", reason)
    assert run.outcomes == [("c", reason), ("c", "delivered")]


def test_nothing_is_tried_for_ever(run: Run) -> None:
    """A day after what it tells of, a notice is given up as expired."""
    book = Book(errors=[DeliveryError(Reason.TIMEOUT, "")] * 10_000)
    run.outbox.put([notice()])
    run.for_s(25 * 3600, run.destination(opened(book)))
    [dead] = run.outbox.dead_letters()
    assert dead.reason == Reason.EXPIRED
    assert 250 < 10_000 - len(book.errors) < 700


def test_a_bug_in_a_channel_stops_nothing(run: Run) -> None:
    """Its notice is a dead letter, the next is sent."""
    book = Book(errors=[ZeroDivisionError()])
    run.outbox.put([notice(of=alert("a")), notice(of=alert("b"))])
    run.for_s(1, run.destination(opened(book)))
    assert [one.alert.subject for one in book.sent] == ["b"]
    assert run.outbox.dead_letters()[0].reason == Reason.INTERNAL


def test_what_was_sent_but_not_recorded_is_not_sent_again(run: Run) -> None:
    """The outbox is away for a moment between the sending and the writing down."""

    class Away(SqliteOutbox):
        away = True

        def done(
            self,
            notice: Notice,
            reference: Mapping[str, str] | None = None,
            *,
            then: Sequence[Notice] = (),
        ) -> None:
            if self.away:
                raise OSError("the disk is full")
            super().done(notice, reference, then=then)

    outbox = Away(run.outbox._file)
    book = Book()
    destination = Destination(opened(book), Surroundings(outbox, run.clock))
    outbox.put([notice()])
    for _ in range(3):
        with pytest.raises(OSError, match="full"):
            destination.step()
    outbox.away = False
    destination.step()
    assert len(book.sent) == 1
    assert outbox.waiting() == 0


def test_what_fires_is_told_again(run: Run) -> None:
    """A channel whose receiver forgets hears of what fires, and of nothing else, also
    from the process after this one."""
    forgetful = Forgetful()
    run.outbox.put([*life("over"), notice(of=alert("fires"))])
    run.for_s(61, run.destination(opened(forgetful)))
    run.for_s(1, run.destination(opened(forgetful)))
    assert [[one.subject for one in told] for told in forgetful.reposted] == [
        ["fires"]
    ] * 2


def test_a_channel_that_hangs_delays_no_other(
    outbox: SqliteOutbox,
    slack: Loopback,
    bot: Opened,
    pager: Opened,
    service: PagerDutyStandIn,
) -> None:
    """Slack says nothing at all, with hundreds of alerts waiting for it: PagerDuty has
    them."""
    slack.fail(*[Failure(hangs=True)] * 1_000)
    fast = replace(pager, name="pager", rate=Rate(10_000, burst=1_000))
    channels = {"slack": replace(bot, name="slack"), "pager": fast}
    for name in channels:
        outbox.put([notice(of=alert(f"run-{n}"), channel=name) for n in range(120)])
    done = Told(120)
    delivery = Delivery(channels, Surroundings(outbox, observe=done))
    delivery.start()
    assert done.event.wait(60)
    slack.released.set()
    delivery.stop()
    assert len(service.incidents) == 120


def test_notices_to_a_channel_that_is_no_more_are_dead_letters(run: Run) -> None:
    """The configuration lost a channel: what waits for it is not forgotten."""
    run.outbox.put(life(channel="gone"))
    Delivery({"c": opened(Book())}, run.surroundings()).bury_what_has_no_channel()
    assert [one.reason for one in run.outbox.dead_letters()] == ["no_channel"] * 4


class Told:
    """Counts what the pager took."""

    def __init__(self, wanted: int) -> None:
        self.event = threading.Event()
        self._left = wanted

    def __call__(self, channel: str, outcome: str) -> None:
        self._left -= (channel, outcome) == ("pager", "delivered")
        if not self._left:
            self.event.set()


faults = st.lists(
    st.sampled_from(
        [None, Reason.TIMEOUT, Reason.CONNECTION, Reason.RATE_LIMITED, Reason.REJECTED]
    ),
    max_size=30,
)


@settings(max_examples=25, deadline=None)
@given(faults, st.integers(1, 3), st.randoms(use_true_random=False))
def test_every_notice_arrives_once_and_in_order_or_is_a_dead_letter(
    tmp_path_factory: pytest.TempPathFactory,
    faults: list[Reason | None],
    n: int,
    random: Any,
) -> None:
    """Whatever fails and in whatever order things are put: of each alert, what was sent
    and what died are all of it, in its order; and an end is told where, and only where,
    the beginning was."""
    path = tmp_path_factory.mktemp("outbox") / "alerts.sqlite"
    with closing(AlertFile(path)) as file:
        run = Run(SqliteOutbox(file), FakeClock())
        errors = [DeliveryError(fault, "") if fault else None for fault in faults]
        book = Book(errors=list(errors))
        notices = [one for number in range(n) for one in life(f"run-{number}")]
        random.shuffle(notices)
        run.outbox.put(notices)
        run.for_s(7_200, run.destination(opened(book)))
        dead = {one.key for one in run.outbox.dead_letters()}
        assert run.outbox.waiting() == 0
    for number in range(n):
        check_life(life(f"run-{number}"), sent=book.sent, dead=dead)


def check_life(
    whole: Sequence[Notice], *, sent: Sequence[Notice], dead: set[str]
) -> None:
    """Of one alert."""
    own = [one for one in sent if one.alert.id == whole[0].alert.id]
    assert [one.sequence for one in own] == sorted({one.sequence for one in own})
    keys, ends = {one.key for one in own}, {one.key for one in whole[2:]}
    missing = {one.key for one in whole} - keys - dead
    begun = any(one.kind in ("trigger", "update") for one in own)
    assert missing == (set() if begun else ends)
    assert begun or not keys


def test_the_first_attempt_is_at_once(run: Run, clock: FakeClock) -> None:
    """Nothing waits for a clock between the outbox and the provider."""
    book = Book()
    run.outbox.put([notice()])
    destination = run.destination(opened(book))
    before: datetime = clock.now
    destination.step()
    assert book.sent
    assert clock.now == before


def test_a_reset_is_tried_again_and_a_lost_answer_is_recognised(
    run: Run, bot: Opened, slack: Loopback, workspace: SlackStandIn
) -> None:
    """End to end through the bot: a broken connection before and after the message
    was taken leave one message in the channel."""
    slack.fail(RESET, LOST)
    run.outbox.put(life())
    run.for_s(120, run.destination(bot))
    [root] = workspace.roots()
    assert "RESOLVED" in root.text
    assert len(workspace.thread(root)) == 3
