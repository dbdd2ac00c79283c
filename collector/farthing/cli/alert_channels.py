"""`farthing alerts channels`: who is told, and whether they can be."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import click

from farthing.alerts.alert import Alert, Notice
from farthing.alerts.channel import Opened, open_channels
from farthing.alerts.policy import read_policy
from farthing.cli import show
from farthing.cli.ledger import ledger_settings
from farthing.cli.options import data_option, json_option
from farthing.cli.show import Column
from farthing.collector.config import environment
from farthing.errors import ConfigError, DeliveryError

_CHANNELS = (Column("channel"), Column("type"), Column("falls back on"))
_TESTS = (Column("channel"), Column("test message"))


@click.command("channels")
@click.option("--test", is_flag=True, help="Send each a test message, and its end.")
@click.argument("names", nargs=-1, metavar="CHANNEL…")
@data_option
@json_option
def channels_command(
    names: tuple[str, ...], data_dir: Path | None, *, test: bool, as_json: bool
) -> None:
    """List the channels, all or some; with --test, tell them something.

    The exit code is 1 where one could not be told.
    """
    policy = read_policy(ledger_settings(data_dir).alerts_file)
    chosen = names or tuple(policy.channels)
    if unknown := sorted({*chosen} - {*policy.channels}):
        known = ", ".join(policy.channels) or "none in the alerts' file"
        raise ConfigError(f"no channel {', '.join(unknown)}; there are: {known}")
    opened = open_channels(policy.channels, environ=environment())
    if test:
        _test([opened[name] for name in chosen], as_json=as_json)
        return
    rows = [
        [name, str(policy.channels[name]["type"]), opened[name].fallback]
        for name in chosen
    ]
    if as_json:
        columns = ("channel", "type", "fallback")
        show.as_json([dict(zip(columns, row, strict=True)) for row in rows])
    elif rows:
        show.table(_CHANNELS, rows)
    else:
        show.line("No channels: nobody is told. docs/channels.md says how to add one.")


def _test(channels: list[Opened], *, as_json: bool) -> None:
    said = {}
    for channel in channels:
        with show.progress(f"telling {channel.name}"):
            said[channel.name] = _tell(channel)
    if as_json:
        show.as_json([{"channel": name, "problem": said[name]} for name in said])
    else:
        rows = [[name, problem or "delivered"] for name, problem in said.items()]
        show.table(_TESTS, rows)
    click.get_current_context().exit(1 if any(said.values()) else 0)


def _tell(opened: Opened) -> str:
    """What is wrong with a channel, by trying; empty if nothing is."""
    begin = _test_alert(datetime.now(UTC))
    end = replace(begin, sequence=2, state="resolved", resolved_at=begin.at)
    try:
        first = Notice(
            alert=begin, channel=opened.name, kind="trigger", next_try=begin.at
        )
        reference = opened.channel.send(first, {})
        last = replace(first, alert=end, kind="resolve")
        opened.channel.send(last, reference)
    except DeliveryError as error:
        return str(error)
    finally:
        opened.channel.close()
    return ""


def _test_alert(now: datetime) -> Alert:
    return Alert(
        id=secrets.token_hex(16),
        rule="test",
        subject="test",
        labels={},
        severity="info",
        state="firing",
        sequence=1,
        title="this is a test of Farthing's alerts",
        summary="Nothing is wrong: somebody asked whether messages arrive here.",
        value=Decimal(1),
        peak=Decimal(1),
        threshold=Decimal(0),
        unit="count",
        opened_at=now,
        since=now - timedelta(seconds=1),
        at=now,
        owner="whoever asked",
    )
