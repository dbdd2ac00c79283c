"""However the spans of a call arrive, the ledger says the same of it in the end."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.settle.conftest import Book, _batches
from tests.settle.spans import (
    LANGCHAIN,
    LITELLM,
    MCP,
    NATIVE,
    OFFICIAL,
    OPENINFERENCE,
    OPENLLMETRY,
    Told,
    chat,
    messages,
    native,
    openinference,
    request,
    tool,
)

TASK = {"farthing.task.id": "ticket-7", "farthing.business_unit": "retail"}
ONE_HOUR = {"gen_ai.usage.details.ephemeral_1h_input_tokens": 200}
FAILED = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "error.type": "timeout",
}
OUTPUT = "gen_ai.usage.output_tokens"
ZEROS = {
    "gen_ai.request.stream": True,
    "gen_ai.usage.input_tokens": 0,
    OUTPUT: 0,
    "gen_ai.usage.cache_read.input_tokens": 0,
    "gen_ai.usage.cache_write.input_tokens": 0,
}
# One call told by four, in three traces; a retry inside a framework that sums; a failed
# attempt made good; parallel calls without ids; a tool call told by three; and one span
# that comes twice.
SUMMED = {"gen_ai.usage.input_tokens": 5500}
ALL_AT_ONCE = (
    Told(OPENLLMETRY, 1, trace=1, attributes=chat("msg_1"), resource=TASK),
    Told(NATIVE, 2, trace=2, end_ms=999, attributes=native("msg_1")),
    Told("pydantic-ai", 3, trace=3, attributes=chat(**ONE_HOUR, **{"session.id": "s"})),
    Told(OFFICIAL, 4, trace=3, parent=3, end_ms=998, attributes=chat("msg_1")),
    Told("my.framework", 11, trace=10, attributes=chat(**SUMMED)),
    Told(OFFICIAL, 12, trace=10, parent=11, end_ms=400, attributes=chat("msg_2")),
    Told(OFFICIAL, 13, trace=10, parent=11, start_ms=500, attributes=chat("msg_3")),
    Told(NATIVE, 14, trace=11, start_ms=501, end_ms=999, attributes=native("msg_3")),
    Told(OFFICIAL, 15, trace=10, parent=11, end_ms=90, failed=True, attributes=FAILED),
    *(
        Told(OPENINFERENCE, 20 + n, 20, 9, start_ms=n * 9, attributes=openinference())
        for n in range(3)
    ),
    *(
        Told(LITELLM, 30 + n, 20, 9, start_ms=n * 9 + 3, attributes=chat(f"own-{n}"))
        for n in range(3)
    ),
    Told(LANGCHAIN, 41, trace=40, attributes=tool("call_1"), resource=TASK),
    Told(MCP, 42, trace=40, parent=41, start_ms=10, end_ms=990, attributes=tool()),
    Told("mcp.server", 43, trace=40, parent=49, end_ms=980, attributes=tool("call_1")),
    Told(NATIVE, 2, trace=2, end_ms=999, attributes=native("msg_1")),
)
# One call of two emitters, each told on its way, too: in part, and with zeros only; and
# calls without an id, of which one comes twice.
ON_ITS_WAY = (
    *(
        Told(NATIVE, 51, 50, 52, 1, end_ms, attributes=native("msg_9", **said))
        for end_ms, said in ((300, {OUTPUT: 20}), (990, {}), (990, {}))
    ),
    *(
        Told(OFFICIAL, 52, trace=50, end_ms=end_ms, attributes=chat("msg_9", **said))
        for end_ms, said in ((100, ZEROS), (500, {OUTPUT: 40}), (999, {}))
    ),
    *(
        Told(
            OFFICIAL, 0, 0, start_ms=n * 20, end_ms=n * 20 + 9, attributes=chat(f"m{n}")
        )
        for n in (1, 2, 2)
    ),
)
CASES = {
    "official-anthropic": lambda: messages("official-anthropic"),
    "openllmetry-anthropic": lambda: messages("openllmetry-anthropic"),
    "official-openai-agents": lambda: messages("official-openai-agents"),
    "all at once": lambda: [request([told]) for told in ALL_AT_ONCE],
    "on its way": lambda: [request([told]) for told in ON_ITS_WAY],
}
BY = (
    "run_id",
    "provider",
    "model",
    "cost_state",
    "task_type",
    "business_unit",
    "agent",
)


class Decoded:
    """The entries of a case, decoded once, to be loaded in any parts and order.

    A part goes into `spans` as the decoding view writes it, so every view on it runs.
    """

    def __init__(self, book: Book, requests: Sequence[bytes]) -> None:
        self._book = book
        book.ledger.load("decoded", requests)
        store = book.store
        store.command("DROP TABLE IF EXISTS decoded")
        store.command(
            "CREATE TABLE decoded ENGINE = Memory AS SELECT *, row_number() OVER"
            " (ORDER BY time, span_id, load) - 1 AS n FROM spans"
        )
        self.size = int(store.rows("SELECT count() AS n FROM decoded")[0]["n"])
        book.clear()
        self.load(range(self.size))
        self.at_once = self.outcome()

    def load(self, numbers: Sequence[int]) -> None:
        name = f"part {next(_batches)}"
        self._book.store.command(
            f"INSERT INTO spans SELECT * EXCEPT n REPLACE('{name}' AS load)"
            f" FROM decoded WHERE n IN ({', '.join(map(str, numbers))})"
        )
        self._book.settler(name)

    def outcome(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """What is in force, by whose and what, and by hour and state."""
        hourly = ("hour", "provider", "model", "cost_state", "business_unit")
        return self._book.by(*BY), self._book.by(*hourly, table="spend_hourly")


@pytest.fixture(scope="session", params=CASES)
def decoded(request: pytest.FixtureRequest, settled: Book) -> Decoded:
    settled.clear()
    return Decoded(settled, CASES[request.param]())


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32), parts=st.integers(2, 6))
def test_neither_order_nor_parts_matter(
    settled: Book, decoded: Decoded, seed: int, parts: int
) -> None:
    """Any order and division of the spans over batches leads to the sums of all in one,
    by run, model, state and tag; and after each batch the roll-ups agree with the
    entries."""
    rng = random.Random(seed)
    numbers = list(range(decoded.size))
    rng.shuffle(numbers)
    cuts = sorted(rng.choices(range(1, decoded.size), k=parts - 1))
    settled.clear()
    for first, last in zip([0, *cuts], [*cuts, decoded.size], strict=True):
        if first < last:
            decoded.load(numbers[first:last])
            settled.totals()
    assert decoded.outcome() == decoded.at_once


def test_all_cases_at_once_come_to_what_was_called(book: Book) -> None:
    """The mixed case has six model calls and one tool call; none of them failed."""
    book.load(*ALL_AT_ONCE)
    totals = book.totals()
    assert [totals.get(n, 0) for n in ("calls", "tool_calls", "errors")] == [6, 1, 0]


def test_requests_may_be_cut_anywhere(book: Book) -> None:
    """The same through the decoder: a capture loaded request by request, the last one
    first, and every request told twice."""
    requests = messages("openllmetry-anthropic")
    book.load_requests(requests)
    at_once = book.by(*BY)
    book.clear()
    for one in reversed(requests):
        book.load_requests([one, one])
        book.totals()
    assert book.by(*BY) == at_once
