"""`farthing alerts backtest`: what the rules would have said of the past."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import yaml

from farthing.alerts.backtest import Outcome, backtests, can_backtest
from farthing.alerts.policy import read_policy
from farthing.alerts.rule import Rule, changed
from farthing.cli import show
from farthing.cli.budgets import opened_budgets
from farthing.cli.ledger import ledger_settings, reader
from farthing.cli.options import data_option, json_option, since_option
from farthing.cli.show import Column
from farthing.collector.alerting import given
from farthing.errors import ConfigError

_COLUMNS = (
    Column("rule"),
    Column("fired", "right"),
    Column("a day", "right"),
    Column("subjects", "right", rank=2),
    Column("escalated", "right", rank=3),
    Column("flapped", "right"),
    Column("half over in", "right", rank=1),
    Column("severities", rank=4),
)


@click.command("backtest")
@click.option("--rule", "names", multiple=True, help="Only this rule; several times.")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="NAME=VALUE",
    help="Another value of a parameter, with one --rule: --set factor=4.",
)
@since_option("30d")
@data_option
@json_option
def backtest_command(
    names: tuple[str, ...],
    changes: tuple[str, ...],
    since: datetime,
    data_dir: Path | None,
    *,
    as_json: bool,
) -> None:
    """Say how often each rule would have fired, how long, and how often it flapped.

    Rules over hours are asked once an hour; nobody is told, nothing is kept.
    """
    settings, now = ledger_settings(data_dir), datetime.now(UTC)
    rules = _chosen(read_policy(settings.alerts_file).all_rules(), names, changes)
    with opened_budgets(data_dir, to_write=False) as declared:
        budgets = declared.budgets()
    with reader(data_dir) as store, show.progress("rules") as update:
        outcomes = []
        told = backtests(
            *(rules, store.rows),
            since=since,
            until=now,
            given=lambda at: given(budgets, at),
        )
        for number, outcome in enumerate(told, start=1):
            outcomes.append(outcome)
            update(number, "rules")
    if as_json:
        show.as_json([_json(outcome) for outcome in outcomes])
    else:
        show.table(_COLUMNS, [_row(outcome) for outcome in outcomes])


def _chosen(
    known: dict[str, Rule], names: tuple[str, ...], changes: tuple[str, ...]
) -> list[Rule]:
    rules = [rule for rule in known.values() if can_backtest(rule)]
    if names:
        if unknown := sorted(set(names) - {rule.name for rule in rules}):
            raise ConfigError(
                f"no rule {', '.join(unknown)} can be tested; there are:"
                f" {', '.join(rule.name for rule in rules)}"
            )
        rules = [rule for rule in rules if rule.name in names]
    if changes and len(rules) != 1:
        raise click.UsageError("--set goes with one --rule: parameters are a rule's")
    return [_with(rule, changes) for rule in rules] if changes else rules


def _with(rule: Rule, changes: tuple[str, ...]) -> Rule:
    values: dict[str, Any] = {}
    for change in changes:
        name, equals, value = change.partition("=")
        if not (name and equals and value):
            raise click.UsageError(f"{change!r} is not NAME=VALUE, as in factor=4")
        values[name] = yaml.safe_load(value)
    return changed(rule, {"parameters": values})


def _row(outcome: Outcome) -> list[str]:
    took = outcome.median_s
    return [
        outcome.rule,
        show.count(outcome.fired),
        f"{outcome.per_day:.1f}",
        show.count(outcome.subjects),
        show.count(outcome.escalations),
        show.count(outcome.flaps),
        show.UNKNOWN if took is None else show.duration(took),
        ", ".join(f"{n} {name}" for name, n in sorted(outcome.by_severity.items())),
    ]


def _json(outcome: Outcome) -> dict[str, Any]:
    return {
        "rule": outcome.rule,
        "fired": outcome.fired,
        "per_day": round(outcome.per_day, 3),
        "subjects": outcome.subjects,
        "escalations": outcome.escalations,
        "flaps": outcome.flaps,
        "median_s": outcome.median_s,
        "by_severity": outcome.by_severity,
        "incidents": [
            {"id": i.id, "subject": i.subject, "title": i.title, "level": i.level}
            | {"opened_at": i.opened_at.isoformat(), "severity": i.severity}
            | {"resolved_at": i.resolved_at and i.resolved_at.isoformat()}
            for i in outcome.incidents
        ],
    }
