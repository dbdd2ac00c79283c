"""Slack, by webhook and by bot, against its real answers."""

from __future__ import annotations

import pytest

from farthing.alerts.alert import Notice
from farthing.alerts.channel import Opened
from farthing.collector.demo.pagers import (
    HANG,
    LOST,
    RESET,
    Failure,
    Loopback,
    Reply,
    SlackStandIn,
)
from farthing.errors import DeliveryError, Reason
from tests.alerts.delivery.conftest import Open
from tests.alerts.delivery.notices import life, notice

REFUSALS = [
    (Failure(Reply(400, "invalid_payload")), Reason.REJECTED),
    (Failure(Reply(403, "action_prohibited")), Reason.UNAUTHORIZED),
    (Failure(Reply(404, "no_service")), Reason.NOT_FOUND),
    (Failure(Reply(410, "channel_is_archived")), Reason.NOT_FOUND),
    (Failure(Reply(429, "", {"Retry-After": "7"})), Reason.RATE_LIMITED),
    (Failure(Reply(500, "rollup_error")), Reason.SERVER_ERROR),
    (Failure(Reply(503, "", {"Retry-After": "7"})), Reason.SERVER_ERROR),
    (Failure(Reply(302, "", {"Location": "https://example.com"})), Reason.REJECTED),
    (Failure(Reply(200, "<html>A proxy's page</html>")), Reason.BAD_ANSWER),
    (RESET, Reason.CONNECTION),
    (HANG, Reason.TIMEOUT),
    (Failure(drip_s=0.6), Reason.TIMEOUT),
]


def send(opened: Opened, *notices: Notice) -> None:
    reference: dict[str, str] = {}
    for one in notices:
        reference = dict(opened.channel.send(one, reference))


def refused(opened: Opened, one: Notice) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        opened.channel.send(one, {})
    return caught.value


def test_a_webhook_posts_each_notice(webhook: Opened, workspace: SlackStandIn) -> None:
    """A webhook cannot change what it posted: each notice is a message of its own."""
    send(webhook, *life())
    assert [post.text.split("*")[1].split(":")[0] for post in workspace.roots()] == [
        "WARNING",
        "STILL FIRING, WARNING",
        "ACKNOWLEDGED, WARNING",
        "RESOLVED, WARNING",
    ]


@pytest.mark.parametrize(("failure", "reason"), REFUSALS)
def test_each_refusal_of_a_webhook_has_a_reason(
    webhook: Opened, slack: Loopback, failure: Failure, reason: Reason
) -> None:
    """Status, plain text, silence and a broken connection become reasons of the closed
    set, with what the provider asked for, and without the webhook's address."""
    slack.fail(failure)
    error = refused(webhook, notice())
    assert error.reason is reason
    asked = failure.reply.headers.get("Retry-After") if failure.reply else None
    assert error.retry_after_s == (float(asked) if asked else None)
    assert "loopbackpath" not in str(error)


def test_a_server_that_is_not_there_is_a_connection_that_failed(
    open_channel: Open,
) -> None:
    """Nothing listens: it is tried again, and the address is not told."""
    away = open_channel("slack_webhook", url_env="http://127.0.0.1:9/loopbackpath")
    error = refused(away, notice())
    assert error.reason is Reason.CONNECTION
    assert error.retryable
    assert "loopbackpath" not in str(error)


def test_a_bot_keeps_one_message_and_a_thread(
    bot: Opened, workspace: SlackStandIn
) -> None:
    """The first message says how the alert stands now; the thread how it came to it."""
    send(bot, *life())
    [root] = workspace.roots()
    assert "RESOLVED" in root.text
    assert root.updates == 3
    said = [post.text.split("*")[1].split(",")[0] for post in workspace.thread(root)]
    assert said == ["STILL FIRING", "ACKNOWLEDGED", "RESOLVED"]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("invalid_auth", Reason.UNAUTHORIZED),
        ("channel_not_found", Reason.NOT_FOUND),
        ("not_in_channel", Reason.NOT_FOUND),
        ("msg_blocks_too_long", Reason.TOO_LARGE),
        ("ratelimited", Reason.RATE_LIMITED),
        ("internal_error", Reason.SERVER_ERROR),
        ("invalid_blocks", Reason.REJECTED),
    ],
)
def test_ok_false_is_an_error(
    bot: Opened, slack: Loopback, word: str, reason: Reason
) -> None:
    """A status of 200 says nothing: `ok` does, and `error` says whether to retry."""
    slack.fail(Failure(Reply(200, {"ok": False, "error": word})))
    assert refused(bot, notice()).reason is reason


def test_a_bot_without_the_right_token_is_told_so(
    open_channel: Open, slack: Loopback, workspace: SlackStandIn
) -> None:
    """A wrong token is no reason to try again, and is not shown."""
    wrong = open_channel(
        "slack_bot",
        token_env="xoxb-wrong",
        channel=workspace.channel,
        api_url=f"{slack.url}/api",
    )
    error = refused(wrong, notice())
    assert error.reason is Reason.UNAUTHORIZED
    assert "xoxb-wrong" not in str(error)


def test_a_message_whose_answer_was_lost_is_not_posted_again(
    bot: Opened, slack: Loopback, workspace: SlackStandIn
) -> None:
    """Before a second attempt the bot looks for what the first one left."""
    slack.fail(LOST)
    first = notice()
    refused(bot, first)
    again = first.again("connection", first.next_try)
    [root] = workspace.roots()
    assert bot.channel.send(again, {})["ts"] == root.ts
    assert workspace.roots() == [root]


def test_a_reply_whose_answer_was_lost_is_not_posted_again(
    bot: Opened, slack: Loopback, workspace: SlackStandIn
) -> None:
    """In the thread too."""
    first, second, *_ = life()
    reference = bot.channel.send(first, {})
    slack.fail(Failure(Reply(200, {"ok": True})), LOST)
    with pytest.raises(DeliveryError):
        bot.channel.send(second, reference)
    bot.channel.send(second.again("connection", second.next_try), reference)
    [root] = workspace.roots()
    assert len(workspace.thread(root)) == 1


def test_a_bot_that_may_not_look_rather_posts_twice_than_never(
    bot: Opened, slack: Loopback, workspace: SlackStandIn
) -> None:
    """Without the scope to read, a second message is the smaller harm."""
    workspace.scopes.discard("channels:history")
    slack.fail(LOST)
    first = notice()
    refused(bot, first)
    bot.channel.send(first.again("connection", first.next_try), {})
    assert len(workspace.roots()) == 2


def test_a_message_that_somebody_deleted_is_posted_anew(
    bot: Opened, workspace: SlackStandIn
) -> None:
    """An update of what is gone becomes a message, which later notices update."""
    first, second, third, _ = life()
    reference = bot.channel.send(first, {})
    workspace.posts.clear()
    reference = bot.channel.send(second, reference)
    bot.channel.send(third, reference)
    [root] = workspace.roots()
    assert root.updates == 1
