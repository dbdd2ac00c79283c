"""`farthing report`: what was spent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from farthing.cli import show
from farthing.cli.options import data_option, json_option, reader, since_option
from farthing.collector.report.spend import DIMENSIONS, Report, Spend, spend

_MONEY = (
    ("cost", "right"),
    ("calls", "right"),
    ("unpriced", "right"),
    ("cache hits", "right"),
)
_TOKENS = (
    ("input", "right"),
    ("cache read", "right"),
    ("cache write", "right"),
    ("output", "right"),
    ("reasoning", "right"),
    ("audio", "right"),
)
_ONE_TABLE_WIDTH = 120


@click.command()
@click.option(
    "--by",
    type=click.Choice(DIMENSIONS),
    default="task_type",
    show_default=True,
    help="What to break the total down by.",
)
@since_option("7d")
@data_option
@json_option
def command(by: str, since: datetime, data_dir: Path | None, *, as_json: bool) -> None:
    """What was spent, by whom and on what.

    A total that contains calls without a price is a lower bound and is marked ≥.
    """
    with reader(data_dir) as store:
        report = spend(store, by=by, since=since, now=datetime.now(UTC))
    if as_json:
        show.as_json(report.to_json())
    else:
        print_report(report)


def print_report(report: Report) -> None:
    """The report as a table for people."""
    label = report.by.replace("_", " ")
    spends = [(group.key or "(not tagged)", group) for group in report.groups]
    spends.append(("total", report.total))
    title = f"Spend by {label}, {_range(report)}"
    head = [(label, "left")]
    if show.console.width >= _ONE_TABLE_WIDTH:
        rows = [[key, *_money(spend), *_tokens(spend)] for key, spend in spends]
        show.table([*head, *_MONEY, *_TOKENS], rows, title=title)
    else:
        rows = [[key, *_money(spend)] for key, spend in spends]
        show.table([*head, *_MONEY], rows, title=title)
        show.line()
        rows = [[key, *_tokens(spend)] for key, spend in spends]
        show.table([*head, *_TOKENS], rows, title="Tokens")
    for note in _notes(report):
        show.line(note)


def _money(spend: Spend) -> list[str]:
    nothing_known = spend.calls > 0 and spend.calls == spend.unpriced_calls
    cost = None if nothing_known else spend.cost_usd
    return [
        show.money(cost, lower_bound=spend.lower_bound),
        show.count(spend.calls),
        show.count(spend.unpriced_calls) if spend.unpriced_calls else "",
        show.share(spend.cache_hit_rate),
    ]


def _tokens(spend: Spend) -> list[str]:
    tokens = spend.tokens
    return [
        show.tokens(number)
        for number in (
            tokens["input"],
            tokens["cache_read"],
            tokens["cache_write_5m"] + tokens["cache_write_1h"],
            tokens["output"],
            tokens["reasoning"],
            tokens["input_audio"] + tokens["cache_audio"] + tokens["output_audio"],
        )
    ]


def _range(report: Report) -> str:
    return f"{report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M} UTC"


def _notes(report: Report) -> list[str]:
    total, notes = report.total, []
    if not total.calls:
        return [
            "Nothing was spent in this range. Send spans to `farthing up`, or look"
            " further back with --since 30d."
        ]
    if total.lower_bound:
        told = ", ".join(
            f"{show.count(calls)} {state}"
            for state, calls in report.states.items()
            if state in ("unpriced", "partial", "no_usage")
        )
        notes.append(
            f"≥ marks a lower bound: {told} of {show.count(total.calls)} calls."
            " `farthing report --by model` shows which."
        )
    return notes
