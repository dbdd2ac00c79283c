"""`farthing run show`: one run, call by call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from farthing.cli import show
from farthing.cli.ledger import reader
from farthing.cli.options import data_option, json_option
from farthing.collector.report.findings import Finding, findings
from farthing.collector.report.runs import Entries, Entry, Run, run

_DEEPEST_SHOWN = 12
_SHOWN_OF_ID = 8


@click.command("show")
@click.argument("run_id")
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    default=1000,
    show_default=True,
    help="How many spans, the earliest first.",
)
@data_option
@json_option
def command(run_id: str, limit: int, data_dir: Path | None, *, as_json: bool) -> None:
    """Show a run: who it was for, what it cost, and every call in it.

    The beginning of its id is enough where no other run begins so.
    """
    with reader(data_dir) as store:
        found, entries = run(store, run_id, limit=limit)
        stuck = findings(store, found.run_id)
    now = datetime.now(UTC)
    if as_json:
        spans = [entry.to_json() for entry in entries.first]
        told: dict[str, object] = {"spans": spans, "spans_left_out": entries.left_out}
        told["findings"] = [finding.to_json(now) for finding in stuck]
        show.as_json({**found.to_json(), **told})
        return
    print_run(found, entries, stuck, now=now)


def print_run(
    found: Run, entries: Entries, stuck: Sequence[Finding], *, now: datetime
) -> None:
    """The run for people: its head, what is found in it, and its spans as a tree."""
    noted = [f"  {described(finding, now=now)}" for finding in stuck]
    for text in (*_head(found), *noted, "", *tree(entries.first)):
        show.line(text)
    if any(entry.cost_state for entry in entries.first):
        show.line("`farthing explain SPAN` says how a cost came about.")
    if entries.left_out:
        show.line(
            f"({show.count(entries.left_out)} later spans are left out:"
            f" --limit {entries.of} shows all)"
        )


def described(finding: Finding, *, now: datetime) -> str:
    """A finding in a line: what, since when, at what cost."""
    what = finding.kind.replace("_", " ")
    until = "goes on" if finding.goes_on(now) else f"until {finding.last_time:%H:%M:%S}"
    cost = show.money(finding.cost_usd, lower_bound=finding.unpriced_calls > 0)
    rate = finding.usd_per_hour
    burn = "" if rate is None else f", {show.money(rate)} an hour"
    return (
        f"{what} {finding.level}: {finding.why}; since"
        f" {finding.first_time:%Y-%m-%d %H:%M:%S} UTC, {until};"
        f" {show.counted(finding.calls, 'model call')}, {show.tokens(finding.tokens)}"
        f" tokens, {cost}{burn}; first span {finding.first_span_id}"
    )


def _head(found: Run) -> Iterator[str]:
    took = show.duration((found.end_time - found.start_time).total_seconds())
    tags = {
        "task": found.task_type,
        "agent": found.agent,
        "business unit": found.business_unit,
        "team": found.team,
        "user": found.user,
        "service": found.service,
    }
    yield f"Run {found.run_id}"
    if any(tags.values()):
        yield "  " + ", ".join(f"{k} {v}" for k, v in tags.items() if v)
    yield (
        f"  {found.start_time:%Y-%m-%d %H:%M:%S} UTC, took {took};"
        f" {show.counted(found.calls, 'call')},"
        f" {show.counted(found.tool_calls, 'tool call')},"
        f" {show.counted(found.errors, 'error')}"
    )
    missing = f" ({show.counted(found.unpriced_calls, 'call')} without a price)"
    yield (
        f"  cost {show.money(found.known_usd, lower_bound=found.lower_bound)}"
        f"{missing if found.unpriced_calls else ''}"
    )


def tree(entries: Sequence[Entry]) -> Iterator[str]:
    """A line per span, below its parent. One whose parent is not here stands at the
    top, as does the earliest of spans that are each other's parents."""
    ids = {(entry.trace_id, entry.span_id) for entry in entries}
    below: dict[tuple[str, str] | None, list[Entry]] = {}
    for entry in entries:
        parent = (entry.trace_id, entry.parent_span_id)
        below.setdefault(parent if parent in ids else None, []).append(entry)
    tops = below.pop(None, [])
    yield from _branches(tops, below)
    for entry in entries:
        own = (entry.trace_id, entry.parent_span_id)
        circle = below.get(own, [])
        if entry in circle:
            circle.remove(entry)
            yield from _branches([entry], below)


def _branches(
    tops: Sequence[Entry], below: dict[tuple[str, str] | None, list[Entry]]
) -> Iterator[str]:
    """The lines of some spans and of all below them, which are taken out of `below`."""
    waiting = [(0, entry) for entry in reversed(tops)]
    while waiting:
        depth, entry = waiting.pop()
        yield f"{_indent(depth)}{_describe(entry)}"
        children = below.pop((entry.trace_id, entry.span_id), [])
        waiting += [(depth + 1, child) for child in reversed(children)]


def _indent(depth: int) -> str:
    if depth > _DEEPEST_SHOWN:
        return f"{'  ' * _DEEPEST_SHOWN}({depth} deep) "
    return "  " * depth


def _describe(entry: Entry) -> str:
    own = f"span {entry.span_id[:_SHOWN_OF_ID]}"
    parts = [entry.title, show.duration(entry.duration_us / 1e6), own]
    used = ", ".join(
        f"{show.tokens(number)} {name.replace('_', ' ')}"
        for name, number in entry.tokens.items()
        if number
    )
    if used:
        parts.append(used)
    if entry.cost_state:
        parts.append(_cost(entry))
    if entry.error_type:
        parts.append(f"failed: {entry.error_type}")
    if entry.entry != "span":
        parts.append(_correction(entry))
    return "  ".join(parts)


def _correction(entry: Entry) -> str:
    """What a correction is for, and which span the call belongs to."""
    if entry.owner_span_id and entry.owner_span_id != entry.span_id:
        owner = entry.owner_span_id[:_SHOWN_OF_ID]
        return f"correction: {entry.reason}, the call is told by span {owner}"
    return f"correction: {entry.reason}"


def _cost(entry: Entry) -> str:
    """What it cost; where that is not known in full, what is known and why not."""
    state, why = entry.cost_state, entry.cost_reason.replace("_", " ")
    told = f"{state}: {why}" if why else state
    if entry.unpriced_buckets:
        told += f" {', '.join(entry.unpriced_buckets).replace('_', ' ')}"
    if entry.cost_usd is None:
        return told
    shown = show.money(entry.cost_usd, lower_bound=state == "partial")
    return shown if state == "priced" else f"{shown} ({told})"
