"""The table of docs/sdks.md: what is captured of each SDK, by what the tests found."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

RESULTS: Final = Path(__file__).with_name("results.json")
DOC: Final = Path(__file__).parents[2] / "docs" / "sdks.md"
BEGIN: Final = "<!-- table: written by make test-matrix -->"
END: Final = "<!-- end of table -->"

COLUMNS: Final = {
    "whole": r"(plain|raw|structured|invoked|responses|chat|graph|with_search)$",
    "streamed": r"streamed|by_helper|last_word",
    "async": r"^(?!.*(streamed|cancelled)).*asynchronous",
    "tools": r"tool|_agent$",
    "429, 500": r"retried(_429|_500)?$",
    "refused": r"refused|counted_only",
    "timed out, repeated": r"retried_timeout",
    "left, cut, cancelled": r"left_early|dropped|cut$|error_in_stream|cancelled",
    "background, batch": r"background|batch",
    "embeddings": r"embeddings",
}
"""Column -> which cases it is about, by their names."""
_ORDER: Final = ("exact", "not billed", "lifetime assumed", "lower bound")


def results() -> dict[str, Any]:
    """What was found last: agent -> versions, and cases or why it could not be run."""
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def write_results(found: dict[str, Any]) -> None:
    """Keep what was found, beside what is known of the others."""
    known = results() if RESULTS.exists() else {}
    text = json.dumps({**known, **found}, indent=2, sort_keys=True)
    RESULTS.write_text(f"{text}\n", encoding="utf-8")


def table(found: dict[str, Any]) -> str:
    """A line per SDK, and a column per way to call it."""
    head = ["SDK", *COLUMNS, "tool spans"]
    lines = [head, ["---"] * len(head)]
    lines += [_line(agent, found[agent]) for agent in sorted(found)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _line(agent: str, known: dict[str, Any]) -> list[str]:
    if "missing" in known:
        why = f"not installed: {known['missing']}"
        return [agent, why, *[""] * len(COLUMNS)]
    cases = known["cases"]
    name = ", ".join(f"{name} {version}" for name, version in known["versions"].items())
    tools = sum(case["tool_calls"] for case in cases.values())
    cells = [_cell(pattern, cases) for pattern in COLUMNS.values()]
    return [name, *cells, "yes" if tools else "no"]


def _cell(pattern: str, cases: dict[str, Any]) -> str:
    """The worst of the outcomes, empty where there is no such case."""
    named = (name for name in cases if re.search(pattern, name))
    found = [cases[name]["outcome"] for name in named]
    differing = [word for word in found if word not in _ORDER]
    if differing:
        return "differs"
    return max(found, key=_ORDER.index) if found else ""


def written() -> str:
    """What the document has between its marks."""
    text = DOC.read_text(encoding="utf-8")
    return text.partition(BEGIN)[2].partition(END)[0].strip()


def write() -> None:
    """Put the table into the document."""
    text = DOC.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    made = f"{before}{BEGIN}\n\n{table(results())}\n\n{END}{after}"
    DOC.write_text(made, encoding="utf-8")
