"""What a panel is: one question, the SQL that answers it, and how it is shown.

A panel is one file of `panels/`; its file's name is its id. Its SQL is ClickHouse's,
with the macros and variables of Grafana's ClickHouse plugin (`macros.py` expands them
for everything but Grafana) and with `{{name}}` for the texts of `sql/` that panels
share.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final, Literal

Unit = Literal[
    "usd",
    "tokens",
    "count",
    "share",
    "ratio",
    "seconds",
    "bytes",
    "time",
    "text",
    "flag",
    "sparkline",
]
"""`share` is 0 to 1, shown in percent; `ratio` is a multiple, shown as 1.5x."""

Chart = Literal[
    "stat",
    "time_bars",
    "time_lines",
    "turn_bars",
    "turn_lines",
    "bars",
    "scatter",
    "table",
]
"""stat: one row, a number and what it is compared with. time_*: `time`, `series`, a
value; bars are stacked. turn_*: the number of a turn, then a column per series. bars: a
name and a value, horizontal. scatter: x, y, names. table: rows."""

Hue = Literal["red", "orange", "amber", "grey"]
"""Of a series that is a judgement; what is only a name has a hue by its order."""

_DRAWN: Final[Mapping[Chart, slice]] = {
    "time_bars": slice(-1, None),
    "time_lines": slice(-1, None),
    "turn_bars": slice(1, None),
    "turn_lines": slice(1, 2),
    "bars": slice(1, 2),
    "scatter": slice(0, 2),
}
_PLACEHOLDER: Final = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class Steps:
    """From `warn` on a value is amber, from `bad` on red; below it has no colour."""

    warn: float
    bad: float | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A value leads to a dashboard on which `variable` has that value."""

    dashboard: str
    variable: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the answer. `bar`: its cells show a bar, too."""

    name: str
    unit: Unit
    title: str = ""
    steps: Steps | None = None
    link: Link | None = None
    bar: bool = False

    @property
    def heading(self) -> str:
        """What people read above it."""
        return self.title or self.name.removesuffix("_usd").replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One question and its answer.

    `note` tells how the answer is to be read. `empty` says what to do where there is
    none. `hourly`: the answer is made of whole hours, so its buckets are no shorter.
    `timeless`: the answer does not depend on the range of time. `marks` is the panel
    whose rows are marked on the chart: turns at which something happened. `usual` is
    the panel that says what each of its bars over time usually comes to. `preface`
    names a column of text that is the same in each row: on the page it stands above
    them. `limit` says in few words what the answer is of, where that is not all of the
    range. `hues` are those of series that are judgements, the worst first.
    """

    title: str
    question: str
    chart: Chart
    sql: str
    columns: tuple[Column, ...]
    note: str = ""
    empty: str = "Nothing in this range. Take a longer one, or fewer filters."
    hourly: bool = False
    timeless: bool = False
    marks: str = ""
    usual: str = ""
    preface: str = ""
    limit: str = ""
    hues: Mapping[str, Hue] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The SQL with the shared texts in it, Grafana's macros left as they are."""
        return filled(self.sql).strip()

    @property
    def drawn(self) -> tuple[Column, ...]:
        """The columns whose values are drawn; none of a table or a stat."""
        return self.columns[_DRAWN.get(self.chart, slice(0))]

    @property
    def description(self) -> str:
        """Question and note."""
        return f"{self.question} {self.note}".strip()


def filled(sql: str) -> str:
    """`sql` with each `{{name}}` replaced by `sql/<name>.sql`, to any depth."""
    while _PLACEHOLDER.search(sql):
        sql = _PLACEHOLDER.sub(lambda match: _shared(match[1]), sql)
    return sql


@cache
def _shared(name: str) -> str:
    text = (files(__package__) / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("--"))
    return "\n".join(lines).strip()


def usd(name: str = "cost_usd", title: str = "", *, bar: bool = False) -> Column:
    """A column of money."""
    return Column(name=name, unit="usd", title=title, bar=bar)


def text(name: str, title: str = "", *, link: Link | None = None) -> Column:
    """A column of words."""
    return Column(name=name, unit="text", title=title, link=link)


def count(name: str, title: str = "") -> Column:
    """A column of whole numbers."""
    return Column(name=name, unit="count", title=title)


TIME: Final = Column(name="time", unit="time")
SERIES: Final = Column(name="series", unit="text")
RUN: Final = text("run_id", "run", link=Link("run", "run"))
TASK: Final = text("task_type", "task type", link=Link("cost", "task_type"))
UNKNOWN_CALLS: Final = Column(
    name="unpriced_calls", unit="count", title="calls not fully priced", steps=Steps(1)
)
"""How many calls the money beside it leaves out: not 0, then it is a lower bound."""

NONE: Final = "(none)"
"""What has no tag, as SQL names it."""
OTHERS: Final = "(others)"
"""The series of what is not among the largest; of a tag that is called so, too."""
LOWER_BOUND: Final = "≥ "
"""What the name of a series begins with that has calls whose cost is not known."""

CALM_MARKS: Final = frozenset({"compaction", "cache missed"})
"""What a run may be marked with besides findings: those say it makes no progress."""

Panels = Mapping[str, Panel]
