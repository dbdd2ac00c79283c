"""What bars are compared with: bands behind a run's turns at which something happened
(compactions, lost caches, loops), and dashes at what bars over time usually come to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import altair as alt

from farthing.dashboards.chart_axes import (
    Json,
    Rows,
    escaped,
    iso,
    number,
    plain,
    tooltip,
)
from farthing.dashboards.panel import CALM_MARKS, SERIES, TIME, Column
from farthing.dashboards.theme import Theme

Layers = tuple[list[alt.Chart], Mapping[str, list[Json]]]
"""Layers, and the data that they name."""

_MARKS, _LABELS, _USUAL = "marks", "labels", "usual"
_LABEL_EVERY: Final = 8
"""At most so many labels fit beside each other."""


def bands(marks: Rows, turns: int, theme: Theme) -> Layers:
    """Bands from `turn` to `until_turn` of each mark, named at their top."""
    merged = _merged(marks)
    if not merged:
        return [], {}
    across = {
        "x": alt.X("turn:O", bandPosition=0),
        "x2": alt.X2("until_turn", bandPosition=1),
        "fill": alt.Fill("hue:N", scale=None, legend=None),
    }
    band = _over(_MARKS).mark_rect(opacity=0.14).encode(**across)
    label = (
        _over(_LABELS)
        .mark_text(align="left", baseline="top", dx=4, dy=3, clip=False)
        .encode(
            x=alt.X("turn:O", bandPosition=0), y=alt.value(0), text=alt.Text("label:N")
        )
    )
    return [band, label], {
        _MARKS: _coloured(merged, theme),
        _LABELS: _coloured(_apart(merged, turns), theme),
    }


def usual_dashes(usual: Rows, value: Column, width: timedelta, theme: Theme) -> Layers:
    """A dash across each bar whose usual height is known; bars are `width` wide."""
    if not usual:
        return [], {}
    columns = (TIME, SERIES, value)
    data = [
        {**plain(row, columns), "until": iso(row["time"] + width)}
        for row in usual
        if number(row[value.name]) is not None
    ]
    dash = _over(_USUAL).mark_rule(strokeWidth=1.5, color=theme.text)
    drawn = dash.encode(
        x=alt.X("time:T"),
        x2=alt.X2("until"),
        y=alt.Y(f"{escaped(value.name)}:Q"),
        tooltip=tooltip(columns),
    )
    return [drawn], {_USUAL: data}


def _merged(marks: Rows) -> list[Json]:
    """Marks of one kind that follow each other as one."""
    found: list[Json] = []
    for mark in sorted(marks, key=lambda m: (m["what"], m["turn"])):
        last = found[-1] if found else None
        if (
            last
            and last["what"] == mark["what"]
            and mark["turn"] <= last["until_turn"] + 1
        ):
            last["until_turn"] = max(last["until_turn"], mark["until_turn"])
        else:
            kept = ("turn", "until_turn", "what")
            found.append({name: mark[name] for name in kept})
    return [{**mark, "label": _label(mark)} for mark in found]


def _label(mark: Json) -> str:
    turns = mark["until_turn"] - mark["turn"] + 1
    return f"{mark['what']}, {turns} turns" if turns > 1 else str(mark["what"])


def _apart(marks: list[Json], turns: int) -> list[Json]:
    """Those whose labels do not lie on each other; findings go first."""
    shown: list[Json] = []
    for mark in sorted(marks, key=lambda m: m["what"] in CALM_MARKS):
        if all(abs(mark["turn"] - s["turn"]) * _LABEL_EVERY >= turns for s in shown):
            shown.append(mark)
    return shown


def _coloured(marks: list[Json], theme: Theme) -> list[Json]:
    return [
        {**m, "hue": theme.series[5] if m["what"] in CALM_MARKS else theme.bad}
        for m in marks
    ]


def _over(data: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(data))
