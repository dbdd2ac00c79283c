"""Dashboards and panels in words: what docs and the command line list."""

from __future__ import annotations

from collections.abc import Iterator

from farthing.dashboards.catalogue import DASHBOARDS, panel


def markdown() -> str:
    """A section per dashboard with a table of its panels."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for board in DASHBOARDS:
        yield f"### {board.title}\n"
        yield f"{board.question}\n"
        yield "| panel | question | what the numbers are |"
        yield "|---|---|---|"
        for name in board.panels:
            one = panel(name)
            yield f"| {one.title} | {one.question} | {one.note} |"
        yield ""
