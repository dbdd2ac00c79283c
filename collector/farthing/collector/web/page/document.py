"""Dashboards as one file of HTML: tables and pictures, no script, nothing to load.

It is what `farthing report --html` writes, to be mailed or kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files
from typing import Final

from markupsafe import Markup

from farthing.collector.store.client import Store
from farthing.collector.web.page.asking import answer
from farthing.collector.web.page.boards import Shelf, shelves
from farthing.collector.web.page.choice import Choice, whole_hour
from farthing.collector.web.page.render import Templates
from farthing.collector.web.page.tables import Place
from farthing.dashboards.catalogue import Dashboard, dashboard, with_usual
from farthing.dashboards.macros import View

BOARDS: Final = ("overview", "cost", "loops", "cache", "models", "tools")


def document(store: Store, *, since: datetime, now: datetime) -> str:
    """The dashboards that a report has, of a range in UTC."""
    since = whole_hour(since)
    view = View(since, now)
    style = (files(__package__) / "static" / "page.css").read_text(encoding="utf-8")
    templates = Templates(asset=lambda name: name, otlp_url="", has_token=False)
    boards = [dashboard(name) for name in BOARDS]
    return templates.text(
        "document.html",
        theme="",
        style=Markup(style),  # noqa: S704 - our own file
        boards=[(board, _shelves(store, board, view)) for board in boards],
        range=f"{since:%Y-%m-%d %H:%M} to {now:%Y-%m-%d %H:%M} UTC",
    )


def _shelves(store: Store, board: Dashboard, view: View) -> Iterator[Shelf]:
    answers = {name: answer(store, name, view) for name in with_usual(board.panels)}
    place = Place(Choice(), "", is_document=True)
    return shelves(board.rows, answers, place, view)
