"""`farthing run show`: one run, call by call."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape
from rich.tree import Tree

from farthing.cli import show
from farthing.cli.options import data_option, json_option, reader
from farthing.collector.report.runs import Entry, Run, run


@click.group()
def command() -> None:
    """One run."""


@command.command("show")
@click.argument("run_id")
@data_option
@json_option
def show_run(run_id: str, data_dir: Path | None, *, as_json: bool) -> None:
    """Show a run: who it was for, what it cost, and every call in it."""
    with reader(data_dir) as store:
        found, entries = run(store, run_id)
    if as_json:
        spans = [entry.to_json() for entry in entries]
        show.as_json({**found.to_json(), "spans": spans})
        return
    _print_head(found)
    show.console.print(_tree(found, entries))


def _print_head(found: Run) -> None:
    took = show.duration((found.end_time - found.start_time).total_seconds())
    tags = {
        "task": found.task_type,
        "agent": found.agent,
        "business unit": found.business_unit,
        "team": found.team,
        "user": found.user,
        "service": found.service,
    }
    show.line(f"Run {found.run_id}")
    show.line("  " + ", ".join(f"{k} {v}" for k, v in tags.items() if v))
    show.line(
        f"  {found.start_time:%Y-%m-%d %H:%M:%S} UTC, took {took}; {found.calls} calls,"
        f" {found.tool_calls} tool calls, {found.errors} errors"
    )
    show.line(f"  cost {show.money(found.cost_usd, lower_bound=found.lower_bound)}")


def _tree(found: Run, entries: list[Entry]) -> Tree:
    """Spans below their parents; those whose parent is not here stand at the top."""
    root = Tree(f"[bold]{escape(found.task_type or 'run')}[/]")
    ids = {entry.span_id for entry in entries}
    below: dict[str, list[Entry]] = {}
    for entry in entries:
        parent = entry.parent_span_id if entry.parent_span_id in ids else ""
        below.setdefault(parent, []).append(entry)
    waiting = [(root, entry) for entry in reversed(below.get("", []))]
    while waiting:
        branch, entry = waiting.pop()
        made = branch.add(escape(_describe(entry)))
        children = below.pop(entry.span_id, [])
        waiting += [(made, child) for child in reversed(children)]
    return root


def _describe(entry: Entry) -> str:
    parts = [entry.title, show.duration(entry.duration_us / 1e6)]
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
        parts.append(f"{entry.entry}: {entry.reason}")
    return "  ".join(parts)


def _cost(entry: Entry) -> str:
    if entry.cost_usd is None:
        return f"{entry.cost_state}: {entry.cost_reason}".rstrip(": ")
    return show.money(entry.cost_usd, lower_bound=entry.cost_state == "partial")
