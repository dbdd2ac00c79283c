"""`farthing alerts`: what is wrong, what would have been, and who is told."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from farthing.alerts.evaluate import Evaluator, Sources
from farthing.alerts.file import AlertFile
from farthing.alerts.incident import Incident
from farthing.alerts.outbox import SqliteOutbox
from farthing.alerts.policy import Policy, read_policy
from farthing.alerts.reading import Reading
from farthing.alerts.rule import Rule
from farthing.alerts.tell import labels_of
from farthing.alerts.wording import UNITS, fill
from farthing.cli import show
from farthing.cli.alert_actions import (
    SHORT_ID,
    ack_command,
    noise_command,
    opened_alerts,
    resolve_command,
    silence_command,
)
from farthing.cli.alert_channels import channels_command
from farthing.cli.backtest import backtest_command
from farthing.cli.budgets import opened_budgets
from farthing.cli.ledger import ledger_settings, reader
from farthing.cli.options import data_option, did_you_mean, json_option
from farthing.cli.show import Column
from farthing.collector.alerting import given
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
    with opened_alerts(data_dir) as (file, policy):
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
    with opened_alerts(data_dir) as (file, policy):
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
        "threshold": unit(incident.threshold) if incident.threshold else "",
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


@command.command("rules")
@data_option
@json_option
def rules_command(data_dir: Path | None, *, as_json: bool) -> None:
    """List the rules, and where each fires."""
    policy = read_policy(ledger_settings(data_dir).alerts_file)
    rules = policy.all_rules()
    if as_json:
        show.as_json([_rule_json(rule) for rule in rules.values()])
        return
    rows = [[rule.name, rule.description] for rule in rules.values()]
    show.table((Column("rule"), Column("fires where")), rows)


@command.command("test")
@click.argument("rule_name", metavar="RULE", required=False)
@click.option("--channel", help="Send this channel a test message instead.")
@data_option
@json_option
def test_command(
    rule_name: str | None, data_dir: Path | None, *, channel: str | None, as_json: bool
) -> None:
    """Evaluate a rule now, without telling anybody.

    The exit code is 1 where it fires.
    """
    if channel is not None:
        if rule_name is not None:
            raise ConfigError("test a rule or a channel, one at a time")
        click.get_current_context().invoke(
            channels_command,
            names=(channel,),
            data_dir=data_dir,
            test=True,
            as_json=as_json,
        )
        return
    settings = ledger_settings(data_dir)
    policy = read_policy(settings.alerts_file)
    if rule_name is None:
        raise ConfigError(f"which rule? There are: {', '.join(_asked(policy))}")
    rule = policy.all_rules().get(rule_name)
    if rule is None or rule.source != "ledger":
        raise ConfigError(_no_such(rule_name, policy))
    readings = _readings(rule, data_dir, policy)
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
for action in (ack_command, resolve_command, silence_command, noise_command):
    command.add_command(action)


def _asked(policy: Policy) -> list[str]:
    """The rules that have a query."""
    return sorted(rule.name for rule in policy.all_rules().values() if rule.sql)


def _no_such(name: str, policy: Policy) -> str:
    names = _asked(policy)
    what = (
        f"rule {name} has no query"
        if name in policy.all_rules()
        else (f"no such rule: {name}{did_you_mean(name, names)}")
    )
    return f"{what}; these can be tested: {', '.join(names)}"


def _readings(rule: Rule, data_dir: Path | None, policy: Policy) -> list[Reading]:
    now = datetime.now(UTC)
    with opened_budgets(data_dir, to_write=False) as declared:
        budgets = declared.budgets()
    with closing(AlertFile(Path(":memory:"))) as file, reader(data_dir) as store:
        sources = Sources(ask=store.rows, given=lambda: given(budgets, now))
        return Evaluator(policy, file, sources).read(rule, now)


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
        rows = [
            [n.alert.id[:SHORT_ID], n.channel, n.alert.title, n.reason] for n in dead
        ]
        show.table(_DEAD, rows)
    else:
        show.line("Every message was delivered, or still may be.")


def _row(incident: Incident, policy: Policy) -> list[str]:
    return [
        incident.id[:SHORT_ID],
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
