"""`farthing budgets`: what is spent of each, who declares them, what is stopped."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import click

from farthing.alerts.budgets import Action, Budget, Of, Window, checked
from farthing.alerts.declared import Declared, StopOrder
from farthing.alerts.file import AlertFile
from farthing.alerts.spent import Used, standing, used
from farthing.cli import show
from farthing.cli.alert_actions import matches
from farthing.cli.ledger import ledger_settings, reader
from farthing.cli.options import data_option, json_option
from farthing.cli.show import Column
from farthing.collector import presence
from farthing.collector.alerting import alert_file

_COLUMNS = (
    Column("budget"),
    Column("who"),
    Column("window"),
    Column("spent", "right"),
    Column("limit", "right"),
    Column("used", "right"),
    Column("state"),
    Column("forecast", "right", rank=1),
    Column("ends (UTC)", rank=2),
    Column("at its end", rank=3),
)
_ORDERS = (
    Column("order"),
    Column("stops"),
    Column("by"),
    Column("reason"),
    Column("since (UTC)", rank=1),
)


@contextmanager
def opened_budgets(data_dir: Path | None, *, to_write: bool) -> Iterator[Declared]:
    """The budgets of a data folder. Raises ConfigError."""
    settings = ledger_settings(data_dir)
    path = alert_file(settings.data_dir)
    file = AlertFile(path if to_write or path.exists() else Path(":memory:"))
    try:
        yield Declared(file, settings.budgets_file)
    finally:
        file.close()


@click.group(invoke_without_command=True)
@data_option
@json_option
@click.pass_context
def command(ctx: click.Context, data_dir: Path | None, *, as_json: bool) -> None:
    """What is spent of each budget, who declares them, what is stopped."""
    if ctx.invoked_subcommand is None:
        _list(ctx, data_dir, as_json=as_json)


@command.command("list")
@data_option
@json_option
@click.pass_context
def list_command(ctx: click.Context, data_dir: Path | None, *, as_json: bool) -> None:
    """Show what is spent of each budget, and what it will be.

    The forecast goes on at the pace of the last day. The exit code is 1 where a budget
    is used up.
    """
    _list(ctx, data_dir, as_json=as_json)


@command.command("set")
@click.argument("name")
@click.option("--of", type=click.Choice(get_args(Of)), help="Whose spend counts.")
@click.option("--who", help="Which of them; else each by itself.")
@click.option("--window", type=click.Choice(get_args(Window)), help="In which time.")
@click.option("--limit", "limit_usd", metavar="USD", help="How much, as in 49.50.")
@click.option(
    "--action", type=click.Choice(get_args(Action)), help="What a guard does."
)
@click.option("--zone", help="Whose calendar, as in Europe/Berlin; else UTC.")
@data_option
def set_command(name: str, data_dir: Path | None, **fields: str | None) -> None:
    """Declare a budget, or change some of it; a running collector follows.

    A new one needs --of, --window and --limit.
    """
    given = {field: value for field, value in fields.items() if value is not None}
    with opened_budgets(data_dir, to_write=True) as declared:
        before = {budget.name: budget for budget in declared.budgets()}.get(name)
        told = json.loads(before.model_dump_json()) if before else {}
        budget = checked({**told, "name": name, **given}, f"budget {name}")
        declared.set(budget)
    show.line(f"Budget {_described(budget)}.{_when(data_dir)}")


@command.command("remove")
@click.argument("name")
@data_option
def remove_command(name: str, data_dir: Path | None) -> None:
    """Take back a budget that `set` declared."""
    with opened_budgets(data_dir, to_write=True) as declared:
        declared.remove(name)
    show.line(f"Budget {name} is removed.{_when(data_dir)}")


@command.command("stop")
@click.argument("labels", nargs=-1, metavar="LABEL=VALUE…")
@click.option("--by", metavar="NAME", help="Who; else the user of this machine.")
@click.option("--reason", default="", help="Why; the agent's exception says it.")
@data_option
@json_option
def stop_command(
    labels: tuple[str, ...],
    by: str | None,
    reason: str,
    data_dir: Path | None,
    *,
    as_json: bool,
) -> None:
    """Stop all work with these labels before its next model call.

    Labels are task_type, team, business_unit, user, run_id, service and environment.
    It reaches agents whose guard asks the collector (FARTHING_BUDGETS=collector).
    Without labels, list what is stopped.
    """
    with opened_budgets(data_dir, to_write=bool(labels)) as declared:
        if labels:
            person = by or getpass.getuser()
            declared.stop(
                matches(labels), by=person, reason=reason, made_at=datetime.now(UTC)
            )
        orders = declared.orders()
    if as_json:
        show.as_json([json.loads(order.model_dump_json()) for order in orders])
    elif orders:
        show.table(_ORDERS, [_order(order) for order in orders])
    else:
        show.line("Nothing is stopped.")


@command.command("resume")
@click.argument("order")
@data_option
def resume_command(order: str, data_dir: Path | None) -> None:
    """Let work go on that `stop` stopped; ORDER is the order's id."""
    with opened_budgets(data_dir, to_write=True) as declared:
        declared.resume(order)
    show.line(f"Order {order} has ended.{_when(data_dir)}")


def _list(ctx: click.Context, data_dir: Path | None, *, as_json: bool) -> None:
    now = datetime.now(UTC)
    with opened_budgets(data_dir, to_write=False) as declared:
        budgets, orders = declared.budgets(), declared.orders()
    if not budgets and not orders:
        if as_json:
            show.as_json([])
            return
        show.line(
            "There are no budgets: declare one with `farthing budgets set`, or write"
            " them into a file and name it with FARTHING_BUDGETS_FILE (budgets_file in"
            " the configuration)."
        )
        return
    with reader(data_dir) as store:
        lines = standing(used(store.rows, budgets, now=now), budgets, now=now)
    if as_json:
        show.as_json([line.to_json() for line in lines])
    else:
        _print(lines, budgets, orders)
    if any(line.state == "used up" for line in lines):
        ctx.exit(1)


def _print(
    lines: tuple[Used, ...], budgets: tuple[Budget, ...], orders: list[StopOrder]
) -> None:
    if lines:
        show.table(_COLUMNS, [_row(line) for line in lines])
    for budget in budgets:
        if budget.of == "run":
            show.line(f"Budget {_described(budget)}.")
    if orders:
        show.line("Stopped:")
        show.table(_ORDERS, [_order(order) for order in orders])


def _row(line: Used) -> list[str]:
    return [
        line.budget,
        line.who,
        line.window,
        show.money(line.spent_usd, lower_bound=line.lower_bound),
        show.money(line.limit_usd),
        show.share(line.share),
        line.state,
        show.money(line.forecast_usd, lower_bound=line.lower_bound),
        f"{line.ends_at:%Y-%m-%d %H:%M}",
        line.action,
    ]


def _order(order: StopOrder) -> list[Any]:
    labels = ", ".join(f"{k}={'|'.join(v)}" for k, v in order.match.items())
    since = f"{order.made_at:%Y-%m-%d %H:%M}"
    return [order.id, labels, order.by, order.reason, since]


def _described(budget: Budget) -> str:
    whose = f"each {budget.of}" if budget.who == "*" else f"{budget.of} {budget.who}"
    per = "" if budget.window == "run" else f" a {budget.window}"
    whose = "everything" if budget.of == "everything" else whose.replace("_", " ")
    return (
        f"{budget.name}: {show.money(budget.limit_usd)} for {whose}{per},"
        f" then {budget.action}"
    )


def _when(data_dir: Path | None) -> str:
    """When it holds."""
    if presence.find(ledger_settings(data_dir).data_dir) is None:
        return " It holds as soon as a collector runs on this folder."
    return " The collector follows within seconds."
