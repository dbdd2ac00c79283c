"""Grafana's macros and variables, expanded for everything that is not Grafana.

Those of the ClickHouse plugin that panels may use: `$__timeFilter(c)`, `$__fromTime`,
`$__toTime`, `$__timeInterval(c)`, `$__interval_s`, `$__conditionalAll(test, $name)`,
`${name:singlequote}`. Anything else that begins with `$` is an error here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from farthing.errors import ConfigError

_CONDITIONAL: Final = "$__conditionalAll("
_QUOTED: Final = re.compile(r"\$\{(\w+):singlequote\}")
_TIME_FILTER: Final = re.compile(r"\$__timeFilter\(([\w.]+)\)")
_TIME_INTERVAL: Final = re.compile(r"\$__timeInterval\(([\w.]+)\)")
_LITERAL: Final = re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL)
_NICE_S: Final = (
    *(60, 300, 900, 1800, 3600, 14_400, 21_600, 43_200, 86_400),
    7 * 86_400,
)
_BUCKETS: Final = 90
_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class View:
    """A range of time in UTC, and what is chosen of each variable; no entry, or none
    chosen, is all of it."""

    since: datetime
    until: datetime
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def bucket_s(self, *, hourly: bool) -> int:
        """Seconds of a bar: at most some 90 bars, no shorter than the data is."""
        wanted = (self.until - self.since) / timedelta(seconds=_BUCKETS)
        least = max(wanted, _HOUR_S if hourly else 0)
        return next((s for s in _NICE_S if s >= least), _NICE_S[-1])


def expanded(sql: str, view: View, *, hourly: bool = False) -> str:
    """`sql` as ClickHouse takes it.

    Raises ConfigError for a macro that is not known.
    """
    sql = _conditionals(sql, view)
    sql = _TIME_FILTER.sub(r"(\1 >= $__fromTime AND \1 <= $__toTime)", sql)
    sql = _TIME_INTERVAL.sub(
        r"toStartOfInterval(toDateTime(\1, 'UTC'), INTERVAL $__interval_s second)", sql
    )
    for name, value in _values(view, hourly=hourly).items():
        sql = sql.replace(name, value)
    # Values come last: what is chosen may look like a macro.
    unknown = re.search(r"\$\w+", _LITERAL.sub("''", sql))
    if unknown:
        raise ConfigError(f"a panel's SQL has a macro that is not known: {unknown[0]}")
    return _QUOTED.sub(lambda match: _quoted(view.chosen.get(match[1], ())), sql)


def _values(view: View, *, hourly: bool) -> Mapping[str, str]:
    return {
        "$__fromTime": f"toDateTime({int(view.since.timestamp())}, 'UTC')",
        "$__toTime": f"toDateTime({int(view.until.timestamp())}, 'UTC')",
        "$__interval_s": str(view.bucket_s(hourly=hourly)),
    }


def _conditionals(sql: str, view: View) -> str:
    """The innermost come last in the text, so they are taken first."""
    while (start := sql.rfind(_CONDITIONAL)) >= 0:
        inside = start + len(_CONDITIONAL)
        end = _closing(sql, inside)
        test, _, variable = sql[inside:end].rpartition(",")
        name = variable.strip().removeprefix("$")
        kept = test if any(view.chosen.get(name, ())) else "1=1"
        sql = f"{sql[:start]}{kept}{sql[end + 1 :]}"
    return sql


def _closing(sql: str, start: int) -> int:
    """Where the bracket that is open at `start` closes."""
    depth = 1
    for at in range(start, len(sql)):
        depth += {"(": 1, ")": -1}.get(sql[at], 0)
        if not depth:
            return at
    raise ConfigError("a panel's SQL has a bracket that does not close")


def _quoted(values: tuple[str, ...]) -> str:
    """String literals, joined by commas; one that is empty where there is none."""
    escaped = (value.replace("\\", "\\\\").replace("'", "\\'") for value in values)
    return ",".join(f"'{value}'" for value in escaped) or "''"
