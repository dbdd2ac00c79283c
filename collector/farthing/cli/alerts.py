"""`farthing alerts`: what is wrong, what would have been, and who is told."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from farthing.alerts.budgets import read_budgets
from farthing.alerts.duration import seconds
from farthing.alerts.evaluate import Evaluator, Sources
from farthing.alerts.file import AlertFile, Wish
from farthing.alerts.incident import Incident
from farthing.alerts.outbox import SqliteOutbox
from farthing.alerts.policy import Policy, read_policy
from farthing.alerts.reading import Reading
from farthing.alerts.rule import Rule
from farthing.alerts.tell import labels_of
from farthing.alerts.wording import UNITS, fill
from farthing.cli import show
from farthing.cli.alert_channels import channels_command
from farthing.cli.backtest import backtest_command
from farthing.cli.ledger import ledger_settings, reader
from farthing.cli.options import data_option, json_option
from farthing.cli.show import Column
from farthing.collector import presence
from farthing.collector.alerting import alert_file, given
from farthing.errors import ConfigError

_ALERTS = (
    Column("alert"),
    Column("state"),
    Column("severity"),
    Column("rule", rank=3),
    Column("what"),
    Column("owner", rank=4),
    Column("since (UTC)", rank=2),
    Column("an hour", "right", rank=1),
    Column("nobody is told", rank=5),
)
_DEAD = (Column("alert"), Column("channel"), Column("what"), Column("why"))
_READINGS = (
    Column("subject"),
    Column("value", "right"),
    Column("threshold", "right"),
    Column("fires"),
    Column("what"),
)
_SILENCES = (
    Column("silence"),
    Column("until (UTC)"),
    Column("matches"),
    Column("by"),
    Column("reason"),
)
_SHORT = 10


@click.group()
def command() -> None:
    """What is wrong, what would have been, and who is told."""


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
@click.option("--dead", is_flag=True, help="Messages that could not be delivered.")
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="How many."
)
@data_option
@json_option
def list_command(
    limit: int, data_dir: Path | None, *, everything: bool, dead: bool, as_json: bool
) -> None:
    """List what is firing, the newest first."""
    with _opened(data_dir) as (file, policy):
        if dead:
            _list_dead(SqliteOutbox(file), limit=limit, as_json=as_json)
            return
        found = [
            incident
            for incident in file.incidents(limit=100_000 if everything else 10_000)
            if incident.fired_at and (everything or incident.is_open)
        ][:limit]
        failed = [e for e in file.evaluations().values() if e.problem]
    if as_json:
        show.as_json([incident.to_json() for incident in found])
        return
    if found:
        show.table(_ALERTS, [_row(incident, policy) for incident in found])
    else:
        show.line("Nothing is firing.")
    for each in failed:
        show.line(f"Rule {each.rule} cannot be evaluated: {each.problem}")


@command.command("show")
@click.argument("alert")
@data_option
@json_option
def show_command(alert: str, data_dir: Path | None, *, as_json: bool) -> None:
    """Show one alert; the beginning of its id is enough."""
    with _opened(data_dir) as (file, policy):
        incident = file.incident(alert)
    if as_json:
        show.as_json(incident.to_json())
        return
    unit = UNITS[incident.unit]
    for name, value in {
        "alert": incident.id,
        "what": incident.title,
        "more": incident.summary,
        "state": _state(incident),
        "severity": incident.severity,
        "value": f"{unit(incident.value)}, at most {unit(incident.peak)}",
        "threshold": unit(incident.threshold),
        "since": f"{incident.since:%Y-%m-%d %H:%M:%S} UTC",
        "owner": policy.owner_of(labels_of(incident)) or show.UNKNOWN,
        "labels": ", ".join(f"{k}={v}" for k, v in sorted(incident.labels.items())),
        "told": ", ".join(incident.told) or "nobody",
        "nobody is told": incident.muted,
        "members": ", ".join(incident.members),
        "acknowledged by": incident.acknowledged_by,
        "resolved": incident.why_resolved,
        "page": policy.url_of(incident.labels),
    }.items():
        if value:
            show.line(f"{name:16} {value}")


@command.command("ack")
@click.argument("alert")
@click.option("--by", metavar="NAME", help="Who; else the user of this machine.")
@data_option
def ack_command(alert: str, by: str | None, data_dir: Path | None) -> None:
    """Acknowledge an alert: nobody is reminded of it any more."""
    _wish(alert, "acknowledge", by=by, data_dir=data_dir)


@command.command("resolve")
@click.argument("alert")
@click.option("--by", metavar="NAME", help="Who; else the user of this machine.")
@data_option
def resolve_command(alert: str, by: str | None, data_dir: Path | None) -> None:
    """End an alert by hand. Where it is still true, it fires again."""
    _wish(alert, "resolve", by=by, data_dir=data_dir)


@command.command("silence")
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
    with _opened(data_dir) as (file, _):
        if end is not None:
            file.end_silence(end)
        if labels:
            file.silence(
                _matches(labels),
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


@command.command("rules")
@data_option
@json_option
def rules_command(data_dir: Path | None, *, as_json: bool) -> None:
    """List the rules, and how their last evaluation went."""
    policy = read_policy(ledger_settings(data_dir).alerts_file)
    rules = policy.all_rules()
    if as_json:
        show.as_json([_rule_json(rule) for rule in rules.values()])
        return
    rows = [[rule.name, rule.description] for rule in rules.values()]
    show.table((Column("rule"), Column("fires where")), rows)


@command.command("test")
@click.argument("rule_name", metavar="RULE")
@data_option
@json_option
def test_command(rule_name: str, data_dir: Path | None, *, as_json: bool) -> None:
    """Evaluate a rule now, without telling anybody.

    The exit code is 1 where it fires.
    """
    settings = ledger_settings(data_dir)
    policy = read_policy(settings.alerts_file)
    rule = policy.all_rules().get(rule_name)
    if rule is None or rule.source != "ledger":
        names = sorted(r.name for r in policy.all_rules().values() if r.sql)
        raise ConfigError(f"no rule {rule_name!r} has a query; {', '.join(names)} have")
    readings = _readings(rule, settings.budgets_file, data_dir, policy)
    fires = [each for each in readings if each.is_breach(rule.min_samples)]
    if as_json:
        show.as_json([_reading_json(each, rule) for each in readings])
    elif readings:
        show.table(_READINGS, [_reading_row(each, rule) for each in readings])
    else:
        show.line(f"Rule {rule.name} finds nothing near its threshold.")
    click.get_current_context().exit(1 if fires else 0)


command.add_command(backtest_command)
command.add_command(channels_command)


def _readings(
    rule: Rule, budgets_file: Path | None, data_dir: Path | None, policy: Policy
) -> list[Reading]:
    budgets, now = read_budgets(budgets_file), datetime.now(UTC)
    file = AlertFile(Path(":memory:"))
    with reader(data_dir) as store:
        sources = Sources(ask=store.rows, given=lambda: given(budgets, now))
        return Evaluator(policy, file, sources).read(rule, now)


@contextmanager
def _opened(data_dir: Path | None) -> Iterator[tuple[AlertFile, Policy]]:
    settings = ledger_settings(data_dir)
    path = alert_file(settings.data_dir)
    if not path.exists():
        raise ConfigError(
            f"no alerts are kept in {settings.data_dir} yet: start a collector with"
            " `farthing up`, or name its folder with --data"
        )
    file = AlertFile(path)
    try:
        yield file, read_policy(settings.alerts_file)
    finally:
        file.close()


def _wish(alert: str, wish: Wish, *, by: str | None, data_dir: Path | None) -> None:
    with _opened(data_dir) as (file, _):
        incident = file.incident(alert)
        if not incident.is_open:
            raise ConfigError(f"alert {incident.id[:_SHORT]} is over already")
        file.wish(incident.id, wish, person=by or getpass.getuser())
    runs = presence.find(ledger_settings(data_dir).data_dir) is not None
    when = "within seconds" if runs else "as soon as a collector runs on this folder"
    show.line(f"{incident.title}: will be {wish}d {when}.")


def _list_dead(outbox: SqliteOutbox, *, limit: int, as_json: bool) -> None:
    dead = outbox.dead_letters(limit=limit)
    if as_json:
        show.as_json(
            [
                {"channel": n.channel, "kind": n.kind, "reason": n.reason}
                | {"alert": n.alert.to_json()}
                for n in dead
            ]
        )
    elif dead:
        rows = [[n.alert.id[:_SHORT], n.channel, n.alert.title, n.reason] for n in dead]
        show.table(_DEAD, rows)
    else:
        show.line("Every message was delivered, or still may be.")


def _matches(labels: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
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


def _row(incident: Incident, policy: Policy) -> list[str]:
    return [
        incident.id[:_SHORT],
        _state(incident),
        incident.severity,
        incident.rule,
        incident.title,
        policy.owner_of(labels_of(incident)) or show.UNKNOWN,
        f"{incident.since:%Y-%m-%d %H:%M}",
        show.money(incident.burn_usd_per_hour),
        incident.muted,
    ]


def _state(incident: Incident) -> str:
    if not incident.is_open:
        return "resolved"
    return "acknowledged" if incident.acknowledged_by else incident.phase


def _rule_json(rule: Rule) -> dict[str, Any]:
    return json.loads(rule.model_dump_json(exclude={"sql", "baseline_sql"}))  # type: ignore[no-any-return]


def _reading_row(each: Reading, rule: Rule) -> list[str]:
    unit = UNITS[rule.unit]
    return [
        each.shown,
        unit(each.value),
        unit(each.threshold),
        "yes" if each.is_breach(rule.min_samples) else "no",
        fill(rule.title, each.values),
    ]


def _reading_json(each: Reading, rule: Rule) -> dict[str, Any]:
    told = asdict(each)
    told["values"] = {name: str(value) for name, value in each.values.items()}
    told |= {
        name: None if told[name] is None else str(told[name])
        for name in ("value", "threshold", "clear", "since", "cost_usd")
    }
    told["burn_usd_per_hour"] = told["burn_usd_per_hour"] and str(
        told["burn_usd_per_hour"]
    )
    return told | {"fires": each.is_breach(rule.min_samples)}
