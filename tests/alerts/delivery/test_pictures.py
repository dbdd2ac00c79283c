"""Pictures in the thread of a Slack bot's message, by Slack's real steps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from farthing.alerts.alert import Alert, Kind
from farthing.alerts.channel import Opened
from farthing.alerts.deliver import Delivery
from farthing.alerts.destination import Surroundings
from farthing.alerts.picture import Draw
from farthing.collector.demo.pagers import (
    LOST,
    RESET,
    Failure,
    Loopback,
    Post,
    Reply,
    SlackStandIn,
)
from farthing.errors import DeliveryError, Reason
from tests.alerts.delivery.notices import alert, life, notice
from tests.alerts.delivery.stepping import Run

PNG = b"\x89PNG and what follows"
STEPS = {"place": 1, "upload": 2, "share": 3}
"""Which request of a delivery it is, after the message's own."""


def drawn(_alert: Alert) -> bytes | None:
    return PNG


def delivery(run: Run, bot: Opened, draw: Draw = drawn) -> Delivery:
    around = run.surroundings()
    with_pictures = Surroundings(around.outbox, around.clock, around.observe, draw)
    return Delivery({bot.name: bot}, with_pictures)


def deliver(run: Run, bot: Opened, draw: Draw = drawn, *, for_s: float = 600) -> None:
    run.for_s(for_s, *delivery(run, bot, draw).destinations.values())


def pictures(workspace: SlackStandIn) -> list[Post]:
    return [post for post in workspace.posts if post.message.get("files")]


def test_a_picture_follows_the_message(
    run: Run, bot: Opened, slack: Loopback, workspace: SlackStandIn
) -> None:
    """The message first, then in its thread what was drawn, with a title for those who
    cannot see it; the place that it is sent to gets no token."""
    run.outbox.put([notice(channel=bot.name)])
    deliver(run, bot)
    root, picture = workspace.posts
    assert picture.thread_ts == root.ts
    [file] = picture.message["files"]
    assert workspace.files.content(file["id"]) == PNG
    assert file["title"] == "What run-17 costs, call by call"
    [upload] = [r for r in slack.requests if r.path.startswith("/upload/")]
    assert "authorization" not in upload.headers


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    "failure",
    [
        RESET,
        LOST,
        Failure(Reply(429, "", {"Retry-After": "7"})),
        Failure(Reply(500, "no")),
    ],
)
def test_a_picture_arrives_once(
    run: Run,
    bot: Opened,
    slack: Loopback,
    workspace: SlackStandIn,
    step: str,
    failure: Failure,
) -> None:
    """Whatever step fails, and also if it was done and the answer was lost: one picture
    in the end, and one message."""
    run.outbox.put([notice(channel=bot.name)])
    slack.fail(*[None] * STEPS[step], failure)
    deliver(run, bot)
    assert len(pictures(workspace)) == 1
    assert len(workspace.roots()) == 1
    assert run.outbox.waiting() == 0


def test_a_bot_without_the_scope_tells_without_pictures(
    run: Run, bot: Opened, workspace: SlackStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    """No dead letter of an alert that was told; the log says once what to do."""
    workspace.scopes.remove("files:write")
    told = [alert(subject) for subject in ("run-1", "run-2")]
    run.outbox.put([notice(channel=bot.name, of=one) for one in told])
    deliver(run, bot)
    assert len(workspace.posts) == 2
    assert not run.outbox.dead_letters()
    assert not run.outbox.waiting()
    assert caplog.text.count("give the bot the scope files:write") == 1


def test_what_slack_will_not_take_is_a_dead_letter_of_the_picture_alone(
    run: Run, bot: Opened, slack: Loopback, workspace: SlackStandIn
) -> None:
    """The message, and what follows it, are told."""
    first, *later = life(channel=bot.name)
    refusal = {"ok": False, "error": "file_upload_size_restricted"}
    slack.fail(None, Failure(Reply(200, refusal)))
    for notices in ([first], later):
        run.outbox.put(notices)
        deliver(run, bot)
    [dead] = run.outbox.dead_letters()
    assert (dead.channel, dead.reason) == (f"{bot.name}/pictures", "too_large")
    assert "RESOLVED" in workspace.roots()[0].text


@pytest.mark.parametrize("png", [None, bytes(2 * 1024**2)])
def test_what_cannot_be_drawn_or_is_too_large_is_left_out(
    run: Run, bot: Opened, workspace: SlackStandIn, png: bytes | None
) -> None:
    """The message stands without it."""
    run.outbox.put([notice(channel=bot.name)])
    deliver(run, bot, lambda _alert: png)
    assert len(workspace.posts) == 1
    assert not run.outbox.waiting()


def test_only_a_new_alert_of_a_run_is_pictured(
    run: Run, bot: Opened, workspace: SlackStandIn
) -> None:
    """Not what comes after, and not what is about no run."""
    of_a_team = alert("team growth", labels={"team": "growth"})
    run.outbox.put([*life(channel=bot.name), notice(channel=bot.name, of=of_a_team)])
    deliver(run, bot)
    [picture] = pictures(workspace)
    [root] = [post for post in workspace.roots() if "run-17" in post.text]
    assert picture.thread_ts == root.ts


def test_what_cannot_be_drawn_now_is_drawn_by_the_next_process(
    run: Run, bot: Opened, workspace: SlackStandIn
) -> None:
    """A picture waits in the outbox as a message does."""

    def away(_alert: Alert) -> bytes | None:
        raise DeliveryError(Reason.CONNECTION, "the ledger does not answer")

    run.outbox.put([notice(channel=bot.name)])
    deliver(run, bot, away)
    assert not pictures(workspace)
    deliver(run, bot)
    assert len(pictures(workspace)) == 1


def test_a_picture_that_takes_its_time_delays_no_message(
    run: Run, bot: Opened, workspace: SlackStandIn
) -> None:
    """The alert is told and resolved while its picture is still being drawn; the
    picture follows."""
    done = threading.Event()

    def slowly(_alert: Alert) -> bytes | None:
        done.wait(60)
        return PNG

    now = datetime.now(UTC)
    kinds: tuple[Kind, ...] = ("trigger", "resolve")
    for number, kind in enumerate(kinds, start=1):
        told = alert(sequence=number, at=now + timedelta(microseconds=number))
        run.outbox.put([notice(kind, channel=bot.name, of=told)])
    running = Delivery({bot.name: bot}, Surroundings(run.outbox, draw=slowly))
    running.start()
    until(lambda: any("RESOLVED" in post.text for post in workspace.roots()))
    assert not pictures(workspace)
    done.set()
    until(lambda: bool(pictures(workspace)))
    running.stop()


def until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
