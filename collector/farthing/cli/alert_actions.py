"""What people do about alerts: acknowledge, resolve, silence; and what was noise."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from farthing.alerts.duration import seconds
from farthing.alerts.file import AlertFile, Wish
from farthing.alerts.noise import Noise, noise
from farthing.alerts.policy import Policy
from farthing.cli import show
from farthing.cli.ledger import ledger_settings
from farthing.cli.options import data_option, json_option, since_option
from farthing.cli.show import Column
from farthing.collector import presence
from farthing.collector.alerting import alert_file, alert_policy
from farthing.errors import ConfigError

SHORT_ID = 10
"""As many digits of an id are enough for people."""
_NOISE = (
    Column("rule"),
    Column("fired", "right"),
    Column("messages", "right"),
    Column("nobody acknowledged", "right", rank=2),
    Column("over in 5 min", "right", rank=1),
    Column("told to nobody", "right", rank=3),
)
_SILENCES = (
    Column("silence"),
    Column("until (UTC)"),
    Column("matches"),
    Column("by"),
    Column("reason"),
)


@contextmanager
def opened_alerts(data_dir: Path | None) -> Iterator[tuple[AlertFile, Policy]]:
    """What is remembered of the alerts of a data folder, and its alert settings.

    Raises ConfigError where no collector ever ran.
    """
    settings = ledger_settings(data_dir)
    path = alert_file(settings.data_dir)
    if not path.exists():
        raise ConfigError(
            f"no alerts are kept in {settings.data_dir} yet: start a collector with"
            " `farthing up`, or name its folder with --data"
        )
    file = AlertFile(path)
    running = presence.find(settings.data_dir)
    page_url = running.web_url if running and running.web_url else ""
    try:
        yield file, alert_policy(settings, page_url=page_url)
    finally:
        file.close()


@click.command("ack")
@click.argument("alert")
@click.option("--by", metavar="NAME", help="Who; else the user of this machine.")
@data_option
def ack_command(alert: str, by: str | None, data_dir: Path | None) -> None:
    """Acknowledge an alert: nobody is reminded of it any more."""
    _wish(alert, "acknowledge", by=by, data_dir=data_dir)


@click.command("resolve")
@click.argument("alert")
@click.option("--by", metavar="NAME", help="Who; else the user of this machine.")
@data_option
def resolve_command(alert: str, by: str | None, data_dir: Path | None) -> None:
    """End an alert by hand. Where it is still true, it fires again."""
    _wish(alert, "resolve", by=by, data_dir=data_dir)


@click.command("silence")
@click.argument("labels", nargs=-1, metavar="LABEL=VALUE…")
@click.option("--for", "how_long", default="2h", show_default=True, help="30m, 4h, 7d.")
@click.option("--by", metavar="NAME", help="Who; else the user of this machine.")
@click.option("--reason", default="", help="Why.")
@click.option("--end", metavar="SILENCE", help="End this silence now.")
@data_option
@json_option
def silence_command(
    labels: tuple[str, ...],
    how_long: str,
    by: str | None,
    reason: str,
    end: str | None,
    data_dir: Path | None,
    *,
    as_json: bool,
) -> None:
    """Tell nobody of alerts with all these labels; without any, list the silences.

    Labels are those of the alert (run_id, task_type, team …), `rule` and `severity`.
    """
    now = datetime.now(UTC)
    with opened_alerts(data_dir) as (file, _):
        if end is not None:
            file.end_silence(end)
        if labels:
            file.silence(
                matches(labels),
                until=now + timedelta(seconds=_duration(how_long)),
                made_at=now,
                by=by or getpass.getuser(),
                reason=reason,
            )
        known = file.silences(now)
    if as_json:
        show.as_json([json.loads(silence.model_dump_json()) for silence in known])
    elif known:
        rows = [
            [
                silence.id,
                f"{silence.until:%Y-%m-%d %H:%M}",
                ", ".join(f"{k}={'|'.join(v)}" for k, v in silence.match.items()),
                silence.by,
                silence.reason,
            ]
            for silence in known
        ]
        show.table(_SILENCES, rows)
    else:
        show.line("There are no silences.")


@click.command("noise")
@since_option("7d")
@data_option
@json_option
def noise_command(since: datetime, data_dir: Path | None, *, as_json: bool) -> None:
    """Say which rules cry wolf: how much was told, and how much of it was taken up."""
    with opened_alerts(data_dir) as (file, _):
        found = noise(file.incidents(limit=1_000_000), since=since)
    if as_json:
        show.as_json([asdict(one) for one in found])
    elif found:
        show.table(_NOISE, [_noise_row(one) for one in found])
    else:
        show.line(f"Nothing has fired since {since:%Y-%m-%d %H:%M} UTC.")


def _wish(alert: str, wish: Wish, *, by: str | None, data_dir: Path | None) -> None:
    with opened_alerts(data_dir) as (file, _):
        incident = file.incident(alert)
        if not incident.is_open:
            raise ConfigError(f"alert {incident.id[:SHORT_ID]} is over already")
        file.wish(incident.id, wish, person=by or getpass.getuser())
    runs = presence.find(ledger_settings(data_dir).data_dir) is not None
    when = "within seconds" if runs else "as soon as a collector runs on this folder"
    show.line(f"{incident.title}: will be {wish}d {when}.")


def matches(labels: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """`team=growth` and the like, by label. Raises click.UsageError."""
    found: dict[str, tuple[str, ...]] = {}
    for label in labels:
        name, equals, value = label.partition("=")
        if not (name and equals and value):
            raise click.UsageError(f"{label!r} is not LABEL=VALUE, as in team=growth")
        found[name] = (*found.get(name, ()), value)
    return found


def _duration(text: str) -> float:
    try:
        return float(seconds(text))
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _noise_row(one: Noise) -> list[str]:
    counts = (one.fired, one.messages, one.untaken, one.short, one.muted)
    return [one.rule, *map(show.count, counts)]
