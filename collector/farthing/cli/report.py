"""`farthing report`: what was spent."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path

import click

from farthing.cli import show
from farthing.cli.ledger import reader
from farthing.cli.options import Names, data_option, json_option, since_option
from farthing.cli.show import Column
from farthing.collector.report.spend import DIMENSIONS, Report, Spend, spend
from farthing.collector.web.page.document import document

_MONEY = (
    Column("cost", "right"),
    Column("calls", "right"),
    Column("unpriced", "right"),
    Column("cache hits", "right"),
)
_TOKENS = (
    Column("input", "right"),
    Column("cache read", "right"),
    Column("cache write", "right"),
    Column("output", "right"),
    Column("reasoning", "right"),
    Column("audio", "right"),
)
_ONE_TABLE_WIDTH = 120
_REASONS = 3
_NO_COST = {
    "no_usage": ("told no usage", "told no usage"),
    "unpriced": ("has no price", "have no price"),
}
"""Why a cost is not known, of one call and of several."""
_NO_KEY = {"model": "(no model)", "provider": "(no provider)"}


@click.command()
@click.option(
    "--by",
    type=Names(DIMENSIONS),
    default="task_type",
    show_default=True,
    help="What to break the total down by.",
)
@since_option("7d", note=" The hour in which it lies counts whole.")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    metavar="FILE",
    help="Write the dashboards there as one file, without scripts.",
)
@data_option
@json_option
def command(
    by: str, since: datetime, html: Path | None, data_dir: Path | None, *, as_json: bool
) -> None:
    """What was spent, by whom and on what.

    A total that contains calls without a price is a lower bound and is marked ≥.
    """
    now = datetime.now(UTC)
    with reader(data_dir) as store:
        report = spend(store, by=by, since=since, now=now)
        if html is not None:
            html.write_text(document(store, since=since, now=now), encoding="utf-8")
    if as_json:
        show.as_json(report.to_json())
    else:
        words = "" if data_dir is None else in_folder(data_dir)
        print_report(report, words=words)


def in_folder(data_dir: Path) -> str:
    """What a command needs to ask the ledger of a folder, as a shell takes it."""
    return f" --data {shlex.quote(str(data_dir))}"


def print_report(
    report: Report, *, with_notes: bool = True, words: str | None = None
) -> None:
    """The report as a table for people, with what they should know of it. `words` are
    what a command needs to ask the same ledger; None where it will be gone."""
    if not _has_content(report.total):
        show.line(f"Nothing was spent {_range(report)}.")
        show.line("Send spans to `farthing up`, or look further back with --since 30d.")
        return
    spends = [
        (group.key or _NO_KEY.get(report.by, "(not tagged)"), group)
        for group in report.groups
        if _has_content(group)
    ]
    _tables(report, [*spends, ("total", report.total)])
    notes = (*_wasted(report, words), *_notes(report, words)) if with_notes else ()
    for note in notes:
        show.line(note)


def _tables(report: Report, spends: list[tuple[str, Spend]]) -> None:
    label = report.by.replace("_", " ")
    title = f"Spend by {label}, {_range(report)}"
    head = Column(label)
    if show.console().width >= _ONE_TABLE_WIDTH:
        rows = [[key, *_money(spend), *_tokens(spend)] for key, spend in spends]
        show.table([head, *_MONEY, *_TOKENS], rows, title=title)
        return
    rows = [[key, *_money(spend)] for key, spend in spends]
    show.table([head, *_MONEY], rows, title=title)
    show.line()
    rows = [[key, *_tokens(spend)] for key, spend in spends]
    show.table([head, *_TOKENS], rows, title="Tokens")


def _has_content(spend: Spend) -> bool:
    """Whether there is anything to pay for: tool calls alone are not."""
    return bool(spend.calls or spend.cost_usd or any(spend.tokens.values()))


def _money(spend: Spend) -> list[str]:
    return [
        show.money(spend.known_usd, lower_bound=spend.lower_bound),
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
    return f"{report.since:%Y-%m-%d %H:%M} to {report.now:%Y-%m-%d %H:%M} UTC"


def _wasted(report: Report, words: str | None) -> list[str]:
    wasted = report.wasted
    if not wasted.runs:
        return []
    cost = show.money(wasted.cost_usd, lower_bound=wasted.unpriced_calls > 0)
    share = wasted.share_of(report.total.cost_usd)
    of_spend = "" if share is None else f"{share * 100:.2g} % of spend, "
    runs = f"{show.count(wasted.runs)} run{'s' if wasted.runs > 1 else ''}"
    where = "" if words is None else f": `farthing loops list{words}` has them"
    return [f"Wasted {cost}, {of_spend}{runs} in loops{where}."]


def _notes(report: Report, words: str | None) -> list[str]:
    total = report.total
    if not total.lower_bound:
        return []
    calls = show.count(total.calls)
    notes = [f"≥ marks a lower bound: of {calls} calls, {_not_known(report)}."]
    shown = report.unpriced[:_REASONS]
    for item in shown:
        model = item.model or "a model that is not told"
        why = f" ({item.reason})" if item.reason else ""
        notes.append(f"  {show.count(item.calls)} {item.state}{why}: {model}")
    missing = total.unpriced_calls + total.partial_calls
    left = missing - sum(item.calls for item in shown)
    if left > 0:
        notes.append(f"  {show.count(left)} more, of other models or reasons")
    if words is not None:
        notes.append(f"`farthing doctor{words}` says what to do about each reason.")
    return notes


def _not_known(report: Report) -> str:
    """How many calls miss their cost, in words that add up to the table's column."""
    counts = {why: report.states.get(state, 0) for state, why in _NO_COST.items()}
    whys = ", ".join(
        f"{show.count(calls)} {one if calls == 1 else several}"
        for (one, several), calls in counts.items()
        if calls
    )
    missing = sum(counts.values())
    told = [f"{show.count(missing)} without a known cost ({whys})"] if missing else []
    if partial := report.states.get("partial", 0):
        told.append(f"{show.count(partial)} known in part")
    return ", ".join(told)
