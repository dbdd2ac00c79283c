"""The page as an ASGI application: every URL, and what answers it.

    page = Page(store, token=None, otlp_url=url, catalogue=load_catalogue)
    app = page.app()

One way for all: who asks is let in, the URL is read (`choice`), the ledger is asked
(`asking`), and a template is filled with what it said (`boards`). docs/page.md is the
page for users.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import (
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from farthing.alerts.budgets import Budget
from farthing.collector.explain import NoSuchSpan, account
from farthing.collector.report.runs import run as read_run
from farthing.collector.store.client import Refused, Store
from farthing.collector.web.page.access import (
    Access,
    field,
    is_cross_site,
    is_embedded_elsewhere,
    own_path,
)
from farthing.collector.web.page.asking import Answers, Asker, explained
from farthing.collector.web.page.assets import Assets, Made
from farthing.collector.web.page.boards import EXPLORER, RUNS_OF_ALL, shelves
from farthing.collector.web.page.budget import month_limit_usd
from farthing.collector.web.page.call import call
from farthing.collector.web.page.chart_script import (
    chart_script,
    chart_script_version,
)
from farthing.collector.web.page.choice import BadChoice, Choice
from farthing.collector.web.page.figures import load_charts
from farthing.collector.web.page.frame import Frame, frame
from farthing.collector.web.page.headers import StrictHeaders
from farthing.collector.web.page.links import call_path, run_path
from farthing.collector.web.page.render import Templates, of_a_bug
from farthing.collector.web.page.tables import Place, as_csv, in_order
from farthing.dashboards.catalogue import (
    DASHBOARDS,
    Dashboard,
    Row,
    dashboard,
    panel,
    panels,
    with_usual,
)
from farthing.dashboards.macros import View
from farthing.economics.prices import Catalogue
from farthing.errors import ConfigError, StoreUnavailable

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]


class Page:
    """The page over a store, which it closes.

    `otlp_url` is where agents send, `catalogue` gives today's price book, `budgets`
    those that are declared now, `clock` seconds since the epoch. `cache` is a folder
    for files that take long to make.
    """

    def __init__(
        self,
        store: Store,
        *,
        token: str | None,
        otlp_url: str,
        catalogue: Callable[[], Catalogue],
        budgets: Callable[[], Iterable[Budget]] = tuple,
        clock: Callable[[], float] = time.time,
        cache: Path | None = None,
    ) -> None:
        self._budgets = budgets
        self._asker = Asker(store)
        self._access = Access(token, clock)
        self._clock = clock
        self._catalogue = catalogue
        script = Made(chart_script_version(), chart_script, cache)
        self._assets = Assets({"charts.js": script})
        self._templates = Templates(
            asset=self._assets.url, otlp_url=otlp_url, has_token=token is not None
        )

    def app(self) -> StrictHeaders:
        """The ASGI application. What every answer says of itself is said outermost, so
        that the answer to a bug of ours says it too."""
        return StrictHeaders(self._routed())

    def _routed(self) -> Starlette:
        return Starlette(
            routes=[
                self._route("/", self.overview),
                self._route("/dashboards/run", self.to_runs),
                self._route("/dashboards/{name}", self.dashboard),
                self._route("/runs", self.runs),
                self._route("/runs/{run_id:path}/calls/{span_id}", self.call),
                self._route("/runs/{run_id:path}", self.run),
                self._route("/panels/{name}.csv", self.csv),
                Route("/login", self.login, methods=["GET", "POST"]),
                Route("/logout", self.logout, methods=["POST"]),
                Route("/static/{name}", self.static),
            ],
            middleware=[Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)],
            exception_handlers={
                HTTPException: self._refusal,
                BadChoice: self._bad_choice,
                ConfigError: self._not_found,
                NoSuchSpan: self._not_found,
                StoreUnavailable: self._unavailable,
                Refused: self._unavailable,
                Exception: self._bug,
            },
        )

    async def overview(self, request: Request) -> Response:
        """`/`"""
        return await self._board(request, dashboard("overview"))

    async def dashboard(self, request: Request) -> Response:
        """`/dashboards/NAME`"""
        name = request.path_params["name"]
        if name not in {board.id for board in DASHBOARDS}:
            raise HTTPException(404, f"There is no dashboard {name!r}.")
        return await self._board(request, dashboard(name))

    async def to_runs(self, request: Request) -> Response:
        """`/dashboards/run`: of one run, or the list to choose it from."""
        choice = Choice.read(request.query_params.multi_items())
        run_id = request.query_params.get("run", "")
        return RedirectResponse(choice.url(run_path(run_id) if run_id else "/runs"))

    async def runs(self, request: Request) -> Response:
        """`/runs`; `find` leads to the run whose id begins so."""
        wanted = request.query_params.get("find", "").strip()
        if wanted:
            choice = Choice.read(request.query_params.multi_items())
            found = await self._asker.run(
                lambda store: read_run(store, wanted, limit=1)
            )
            return RedirectResponse(choice.url(run_path(found[0].run_id)), 303)
        return await self._board(
            request, dashboard("run"), rows=EXPLORER, template="runs.html"
        )

    async def run(self, request: Request) -> Response:
        """`/runs/RUN`"""
        given = request.path_params["run_id"]
        found, _ = await self._asker.run(lambda store: read_run(store, given, limit=1))
        board = dashboard("run")
        rows = tuple(r for r in board.rows if RUNS_OF_ALL not in dict(r.panels))
        return await self._board(
            request,
            board,
            rows=rows,
            template="run.html",
            run_id=found.run_id,
            run=found,
        )

    async def call(self, request: Request) -> Response:
        """`/runs/RUN/calls/SPAN`, or the page of a run whose id looks like that."""
        run_id, span_id = (request.path_params[n] for n in ("run_id", "span_id"))
        try:
            found = await self._asker.run(
                lambda store: account(store, span_id, self._catalogue(), run_id=run_id)
            )
        except NoSuchSpan as unknown:
            request.path_params["run_id"] = f"{run_id}/calls/{span_id}"
            try:
                return await self.run(request)
            except ConfigError:
                raise unknown from None
        board = dashboard("run")
        parent = found.told.fields["parent_span_id"]
        choice, view = await self._chosen(request, usual_days=board.days)
        around = await self._frame(request, board, choice, view)
        return self._templates.page(
            request,
            "call.html",
            frame=around,
            run_id=run_id,
            run_url=choice.url(run_path(run_id)),
            parent_url=choice.url(call_path(run_id, parent)),
            call=call(found),
        )

    async def csv(self, request: Request) -> Response:
        """`/panels/NAME.csv`"""
        name = request.path_params["name"]
        if name not in panels():
            raise HTTPException(404, f"There is no panel {name!r}.")
        choice, view = await self._chosen(request, usual_days=7)
        answer = await self._asker.panel(name, view)
        if answer.problem:
            return PlainTextResponse(f"{answer.problem}\n", 503)
        rows = in_order(panel(name), answer.rows, choice.sorts.get(name))
        return Response(
            as_csv(panel(name), rows),
            media_type="text/csv",
            headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
        )

    async def static(self, request: Request) -> Response:
        """`/static/NAME`"""
        try:
            asset = await asyncio.to_thread(
                self._assets.asset, request.path_params["name"]
            )
        except KeyError:
            raise HTTPException(404, "There is no such file.") from None
        return asset.response(request)

    async def login(self, request: Request) -> Response:
        """`/login`: the form, and what it sends."""
        to = own_path(request.query_params.get("to", "/"))
        if self._access.is_open:
            return RedirectResponse(to, 303)
        if request.method == "GET":
            return self._templates.page(request, "login.html", to=to, is_wrong=False)
        if not self._access.is_token(await field(request, "token")):
            return self._templates.page(
                request, "login.html", 403, to=to, is_wrong=True
            )
        response = RedirectResponse(to, 303)
        self._access.let_in(response, secure=request.url.scheme == "https")
        return response

    async def logout(self, _: Request) -> Response:
        """`/logout`"""
        response = RedirectResponse("/login", 303)
        self._access.let_out(response)
        return response

    async def _board(
        self,
        request: Request,
        board: Dashboard,
        *,
        rows: Iterable[Row] | None = None,
        template: str = "dashboard.html",
        run_id: str = "",
        **more: Any,
    ) -> Response:
        """A page of panels."""
        rows = tuple(board.rows if rows is None else rows)
        choice, view = await self._chosen(request, usual_days=board.days, run_id=run_id)
        names = with_usual(name for row in rows for name, _ in row.panels)

        async def begun() -> tuple[bool, Answers]:
            is_empty = await self._asker.oldest() is None
            if not is_empty:
                self._asker.meanwhile(load_charts)
            return is_empty, self._asker.panels(() if is_empty else names, view)

        # What can be chosen takes its time: the panels do not wait for it.
        around, (is_empty, answers) = await asyncio.gather(
            self._frame(request, board, choice, view), begun()
        )
        place = Place(choice.with_range(board.days), request.url.path, run_id)

        def filled() -> Iterator[str]:
            limit_usd = month_limit_usd(self._budgets(), view.chosen)
            shown = shelves(rows, answers, place, view, limit_usd=limit_usd)
            yield from self._templates.pieces(
                request, template, frame=around, board=board, is_empty=is_empty,
                shelves=() if is_empty else shown, **more,
            )  # fmt: skip

        return StreamingResponse(
            self._asker.in_pieces(filled()), media_type="text/html"
        )

    async def _chosen(
        self, request: Request, *, usual_days: int, run_id: str = ""
    ) -> tuple[Choice, View]:
        """What the URL chooses, and the range and filters that this means now."""
        choice = Choice.read(request.query_params.multi_items())
        now = self._now()
        oldest = now
        if choice.range == "all":
            oldest = await self._asker.oldest() or now
        view = choice.with_range(usual_days).view(now, oldest)
        run_id = run_id or request.query_params.get("run", "")
        chosen = {**view.chosen, "run": (run_id,)} if run_id else view.chosen
        return choice, View(view.since, view.until, chosen)

    async def _frame(
        self, request: Request, board: Dashboard, choice: Choice, view: View
    ) -> Frame:
        return frame(
            request.url.path,
            board.id,
            choice,
            view,
            await self._asker.choices(view),
            now=self._now(),
            usual_days=board.days,
        )

    def _now(self) -> datetime:
        return datetime.fromtimestamp(int(self._clock()), UTC)

    def _route(self, path: str, handler: Handler) -> Route:
        async def guarded(request: Request) -> Response:
            return self._turned_away(request) or await handler(request)

        return Route(path, guarded, methods=["GET"])

    def _turned_away(self, request: Request) -> Response | None:
        """The answer to who may not look; None for who may."""
        if self._access.is_foreign(request):
            return self._templates.problem(
                request,
                403,
                "Ask 127.0.0.1 or localhost",
                "Without a token, the page answers only to an address or localhost: set"
                " FARTHING_TOKEN to reach it by a name.",
            )
        if self._access.is_open and is_embedded_elsewhere(request):
            return self._templates.problem(
                request, 403, "Open the page itself", "Another site asked for it."
            )
        if self._access.is_allowed(request):
            return None
        if "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse(
                "Send the collector's token: Authorization: Bearer TOKEN\n",
                401,
                {"WWW-Authenticate": 'Bearer realm="farthing"'},
            )
        if is_cross_site(request):
            return self._templates.page(
                request, "bounce.html", to=_path_and_query(request)
            )
        to = urlencode({"to": _path_and_query(request)})
        return RedirectResponse(f"/login?{to}", 303)

    async def _refusal(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        title = "There is no such page" if error.status_code == 404 else "Not this way"
        return self._templates.problem(request, error.status_code, title, error.detail)

    async def _bad_choice(self, request: Request, error: Exception) -> Response:
        return self._templates.problem(
            request, 400, "This cannot be chosen", str(error)
        )

    async def _not_found(self, request: Request, error: Exception) -> Response:
        return self._templates.problem(request, 404, "Not in the ledger", str(error))

    async def _unavailable(self, request: Request, error: Exception) -> Response:
        return self._templates.problem(
            request, 503, "The ledger cannot be asked", explained(error)
        )

    async def _bug(self, request: Request, error: Exception) -> Response:
        return self._templates.problem(request, 500, "The page failed", of_a_bug(error))

    def make_ahead(self) -> None:
        """Begin to make what the first browser would wait for."""
        self._assets.make_ahead()
        self._asker.make_ahead()

    def close(self) -> None:
        """Wait for questions that run, then close the store."""
        self._asker.close()


def _path_and_query(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path
