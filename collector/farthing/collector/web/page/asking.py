"""Panels' questions to the ledger: some at a time, each within limits.

The collector receives spans meanwhile, so what the page may take is bounded: few
questions at once, each on half of the cores, or on two. One that fails fails alone.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import (
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from farthing.collector.store.client import Away, Refused, Store
from farthing.collector.store.sentence import sentence
from farthing.dashboards.catalogue import VARIABLES, panel, panels
from farthing.dashboards.macros import View, expanded
from farthing.errors import FarthingError, StoreUnavailable

T = TypeVar("T")
log = logging.getLogger(__name__)

Rows = Sequence[Mapping[str, Any]]

AT_ONCE: Final = 2
_MOST_WAITING: Final = 200
LIMITS: Final[Mapping[str, int]] = {
    "max_threads": max(2, (os.cpu_count() or 2) // 2),
    "max_execution_time": 20,
    "max_memory_usage": 512 * 1024**2,
    "max_result_rows": 20_000,
    # What is read of a few runs is little, and still worth both threads.
    "merge_tree_min_rows_for_concurrent_read": 16_384,
    "merge_tree_min_bytes_for_concurrent_read": 1024**2,
    # A question that was asked three times would be compiled, for a tenth of a second,
    # and be answered no sooner afterwards.
    "compile_expressions": 0,
    "compile_aggregate_expressions": 0,
    "compile_sort_description": 0,
    # Several attributes of a span are read at once, not each by itself.
    "optimize_functions_to_subcolumns": 0,
}
_TOO_LONG, _TOO_MUCH_MEMORY, _TOO_MANY_ROWS = 159, 241, 396
_OLDEST: Final = "SELECT min(hour) AS oldest, count() AS hours FROM spend_hourly"
_CHOICES: Final = " UNION ALL ".join(
    f"SELECT '{one.name}' AS variable, value FROM ({one.sql})"  # noqa: S608 - constants
    for one in VARIABLES
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a panel, or why there are none."""

    name: str
    rows: Rows
    problem: str = ""


class Answers(Mapping[str, Answer]):
    """Answers, each of which is waited for when it is looked at: not on an event loop.
    So what is known of a page is made while the rest is asked for."""

    def __init__(self, coming: Mapping[str, Future[Answer]]) -> None:
        self._coming = coming

    def __getitem__(self, name: str) -> Answer:
        return self._coming[name].result()

    def __iter__(self) -> Iterator[str]:
        return iter(self._coming)

    def __len__(self) -> int:
        return len(self._coming)


class Asker:
    """Asks a store, whose connections belong to its threads. Close it at the end."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="page")
        self._drawing = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="page-drawing")
        self._under_way: set[Future[Any]] = set()

    def panels(self, names: Iterable[str], view: View) -> Answers:
        """The answers of some panels, by name; problems are told in them. What is named
        first is asked for first."""
        return Answers({name: self._asked(name, view) for name in names})

    async def panel(self, name: str, view: View) -> Answer:
        """The answer of a panel; a problem is told in it."""
        return await asyncio.wrap_future(self._asked(name, view))

    def _asked(self, name: str, view: View) -> Future[Answer]:
        try:
            return self._begun(lambda store: answer(store, name, view, LIMITS))
        except StoreUnavailable as error:
            refused: Future[Answer] = Future()
            refused.set_result(Answer(name, [], explained(error)))
            return refused

    def make_ahead(self) -> None:
        """Begin to load the panels."""
        self._threads.submit(panels)

    def meanwhile(self, job: Callable[[], object]) -> None:
        """Do what drawing will need while the ledger is asked."""
        self._drawing.submit(job)

    async def choices(self, view: View) -> dict[str, list[str]]:
        """What can be chosen in a range, by variable; nothing where that fails."""
        found: dict[str, list[str]] = {}
        try:
            rows = await self.rows(expanded(_CHOICES, View(view.since, view.until)))
        except (FarthingError, Refused):
            return found
        for row in rows:
            found.setdefault(row["variable"], []).append(row["value"])
        return found

    async def oldest(self) -> datetime | None:
        """The first hour of the ledger; None while it holds nothing.

        Raises StoreUnavailable, Refused.
        """
        [row] = await self.rows(_OLDEST)
        return row["oldest"].replace(tzinfo=UTC) if row["hours"] else None

    async def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Rows:
        """The rows of a query. Raises StoreUnavailable, Refused."""
        return await self.run(
            lambda store: store.rows(sql, parameters, settings=LIMITS)
        )

    async def run(self, job: Callable[[Store], T]) -> T:
        """What `job(store)` gives, from a thread of ours."""
        work = asyncio.wrap_future(self._begun(job))
        work.add_done_callback(_seen)
        return await asyncio.shield(work)

    def _begun(self, job: Callable[[Store], T]) -> Future[T]:
        if len(self._under_way) >= _MOST_WAITING:
            raise StoreUnavailable("too many questions wait already: try again later")
        work = self._threads.submit(job, self._store)
        self._under_way.add(work)
        work.add_done_callback(self._under_way.discard)
        return work

    async def in_pieces(self, made: Iterable[str]) -> AsyncIterator[str]:
        """What is made with answers, in a thread of ours, for the event loop and its
        threads receive spans, too; as much at a time as there is."""
        loop = asyncio.get_running_loop()
        pieces: deque[str] = deque()
        is_more = asyncio.Event()

        def make() -> None:
            for piece in made:
                pieces.append(piece)
                loop.call_soon_threadsafe(is_more.set)

        making = loop.run_in_executor(self._drawing, make)
        making.add_done_callback(lambda _: is_more.set())
        while pieces or not making.done():
            await is_more.wait()
            is_more.clear()
            if pieces:
                yield "".join(pieces.popleft() for _ in range(len(pieces)))
        await making

    def close(self) -> None:
        """Wait for what runs, drop what waits."""
        self._threads.shutdown(cancel_futures=True)
        self._drawing.shutdown(cancel_futures=True)
        self._store.close()


def _seen(work: asyncio.Future[Any]) -> None:
    if not work.cancelled():
        work.exception()  # also when nobody waits for it any longer


def answer(
    store: Store, name: str, view: View, limits: Mapping[str, int] | None = None
) -> Answer:
    """The answer of a panel; a problem is told in it."""
    try:
        return Answer(name, store.rows(asked(name, view), settings=limits))
    except (FarthingError, Refused) as error:
        return Answer(name, [], explained(error))


def asked(name: str, view: View) -> str:
    """The SQL of a panel for a view."""
    return expanded(panel(name).text, view, hourly=panel(name).hourly)


def explained(error: Exception) -> str:
    """A failure as people read it, with what to do."""
    code = error.code if isinstance(error, Away | Refused) else 0
    if code == _TOO_LONG:
        return (
            f"This took longer than {LIMITS['max_execution_time']} seconds. Take a"
            " shorter range, or more filters."
        )
    if code == _TOO_MUCH_MEMORY:
        return "This needs too much memory. Take a shorter range, or more filters."
    if code == _TOO_MANY_ROWS:
        return (
            f"The answer has more than {LIMITS['max_result_rows']:,} rows. Take a"
            " shorter range, or more filters."
        )
    log.warning("the page's question failed: %s", error)
    if isinstance(error, Away) and not code:
        return f"The ledger does not answer: {error}. `farthing doctor` says more."
    return f"The ledger refuses the question: {sentence(str(error))}"
