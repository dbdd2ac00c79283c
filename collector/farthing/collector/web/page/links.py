"""Where values lead: to the runs that have them, to one run, to one call.

Range and filters go along, so that what is seen there is part of what was seen here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final
from urllib.parse import quote, urlencode

from farthing.collector.web.page.choice import DATES, FILTERS, Choice
from farthing.dashboards.panel import LOWER_BOUND, OTHERS, Column, Panel

SERIES_ARE: Final[Mapping[str, str]] = {
    "spend_by_model": "model",
    "spend_by_task": "task_type",
    "cache_hits": "agent",
    "prefix_churn": "agent",
}
"""Panels over time whose series are values of a variable."""
_OF_CALLS: Final = frozenset({"what", "span_id"})


def run_path(run_id: str) -> str:
    """The path of a run's page."""
    return f"/runs/{quote(run_id, safe='')}"


def call_path(run_id: str, span_id: str) -> str:
    """The path of a call's page."""
    return f"{run_path(run_id)}/calls/{quote(span_id, safe='')}"


def value_url(
    column: Column, row: Mapping[str, Any], choice: Choice, *, run_id: str = ""
) -> str:
    """Where a column's value in a row leads; empty where it leads nowhere. `run_id` is
    the run that the panel is about."""
    value = row[column.name]
    if not isinstance(value, str) or not value:
        return ""
    kept = choice.without_sorts()
    if column.name in _OF_CALLS:
        span_id = row.get("span_id")
        return kept.url(call_path(run_id, span_id)) if run_id and span_id else ""
    link = column.link
    if link is None:
        is_filter = column.name in FILTERS
        return kept.choosing(column.name, value).url("/runs") if is_filter else ""
    if link.variable == "run":
        return kept.url(run_path(value))
    return kept.choosing(link.variable, value).url(f"/dashboards/{link.dashboard}")


def row_urls(
    name: str, panel: Panel, choice: Choice, *, bucket_s: int
) -> Callable[[Mapping[str, Any]], str]:
    """Where what is drawn of a row leads: to its run, to what its name says, or to the
    runs that ended in its part of the time."""
    if panel.chart.startswith("time"):
        return _bucket_urls(name, choice, bucket_s)

    def url(row: Mapping[str, Any]) -> str:
        urls = [value_url(column, row, choice) for column in panel.columns]
        return next(filter(None, reversed(urls)), "")

    return url


def _bucket_urls(
    name: str, choice: Choice, bucket_s: int
) -> Callable[[Mapping[str, Any]], str]:
    """Bars are many, but few series and times: each is put into words once."""
    kept = replace(choice.without_sorts(), range=DATES, since="", until="")

    @cache
    def runs_of(series: str) -> str:
        is_chosen = name in SERIES_ARE and series != OTHERS
        return (kept.choosing(SERIES_ARE[name], series) if is_chosen else kept).url(
            "/runs"
        )

    @cache
    def dates_of(since: datetime) -> str:
        until = since + timedelta(seconds=bucket_s - 1)
        return urlencode(
            {"from": f"{since:%Y-%m-%dT%H:%M}", "to": f"{until:%Y-%m-%dT%H:%M}"}
        )

    return lambda row: (
        f"{runs_of(row['series'].removeprefix(LOWER_BOUND))}&{dates_of(row['time'])}"
    )
