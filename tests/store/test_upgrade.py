"""A ledger of an older version, once this one has opened it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from farthing.collector.store.client import Store
from farthing.collector.store.ledger import Ledger
from farthing.collector.store.schema import Ddl, migrate, migrations
from farthing.economics.prices import load_catalogue
from tests.emptied import empty
from tests.store.otlp import Told, request

OLDER: Final = (9, 10)
"""Versions whose ledgers are opened here."""
VIEWS: Final = ("spend_hourly_view", "runs_first_agent_view")
TAGS: Final = (
    "task_type, business_unit, environment, agent, provider, model, cost_state"
)
OTHERS: Final = "team, user, service, step"
MEASURES: Final = "COLUMNS('^(calls|errors|web_searches|.*_(calls|tokens|usd))$')"
REVERSED: Final = """
INSERT INTO spans
SELECT * REPLACE (
    'correction' AS entry, -calls AS calls, -errors AS errors,
    -input_tokens AS input_tokens,
    -cache_read_tokens AS cache_read_tokens,
    -cache_write_5m_tokens AS cache_write_5m_tokens, -output_tokens AS output_tokens,
    -cost_usd AS cost_usd, -tool_fee_usd AS tool_fee_usd
)
FROM spans WHERE load = 'first' AND run_id = 'run-3'
"""


def _call(number: int, *, tokens: int) -> Told:
    """A model call that read most of its prompt from a cache."""
    whose = {
        "farthing.task.id": f"run-{number % 5}",
        "farthing.task.type": f"type-{number % 2}",
        "farthing.business_unit": "unit",
        "farthing.user": f"user-{number % 3}",
        "farthing.step.name": f"step-{number % 4}",
        "gen_ai.agent.name": ("", "writer", "a reader")[number % 3],
    }
    usage = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-4-5" if number % 4 else "unheard-of",
        "gen_ai.usage.input_tokens": tokens,
        "gen_ai.usage.cache_read.input_tokens": tokens // 2,
        "gen_ai.usage.cache_creation.input_tokens": tokens // 4,
        "gen_ai.usage.output_tokens": 10,
    }
    return Told({**usage, **whose}, end_s=1_790_000_000 + 1000 * (number // 5))


def _tool(number: int) -> Told:
    told = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "search",
        "gen_ai.agent.name": "helper",
        "farthing.task.id": f"run-{number % 5}",
    }
    return Told(told, is_error=True)


FIRST: Final = [
    request([_call(n, tokens=(1000, 150_000, 300_000)[n % 3]) for n in range(30)]),
    request([_tool(n) for n in range(3)]),
]
LATER: Final = [request([_call(n, tokens=400_000) for n in range(7)])]


def _old(store: Store, version: int) -> Ledger:
    """A ledger as a version before made it."""
    known = [m for m in migrations() if m.version <= version]
    migrate(store, ddl=Ddl(store.address), known=known)
    ledger = Ledger(store, load_catalogue())
    ledger.use_prices(ledger.catalogue)
    return ledger


def _opened(store: Store) -> Ledger:
    ledger = Ledger(store, load_catalogue())
    ledger.open(retention_days=None)
    return ledger


def _filled(ledger: Ledger) -> None:
    ledger.load("first", FIRST)
    ledger.store.command(REVERSED)


def _held(store: Store) -> Iterator[list[dict[str, Any]]]:
    """What the roll-ups say, by all that they are asked by."""
    for keys in (
        f"hour, {TAGS}, {OTHERS}",
        f"hour, {TAGS}, price_row, price_level",
        f"hour, {TAGS}, {OTHERS}, cost_reason",
    ):
        sums = f"SELECT {keys}, {MEASURES} APPLY sum FROM spend_hourly GROUP BY {keys}"
        yield store.rows(f"SELECT * FROM ({sums}) WHERE `sum(calls)` != 0 ORDER BY ALL")
    yield store.rows("SELECT * EXCEPT ingested_at FROM runs FINAL ORDER BY run_id")
    for table in ("spans", "telemetry_hourly", "run_agents"):
        yield store.rows(f"SELECT sum(t.calls) AS calls FROM {table} AS t")


@dataclass(frozen=True)
class Expected:
    """What a ledger that this version made holds: at first, and with what comes."""

    first: list[list[dict[str, Any]]]
    later: list[list[dict[str, Any]]]


@pytest.fixture(scope="module")
def expected(spare_ledger: Ledger) -> Expected:
    """The same entries in a ledger that was made by this version."""
    empty(spare_ledger)
    _filled(spare_ledger)
    first = list(_held(spare_ledger.store))
    spare_ledger.load("later", LATER)
    return Expected(first, list(_held(spare_ledger.store)))


@pytest.mark.parametrize("version", OLDER)
def test_an_older_ledger_holds_what_a_new_one_would(
    new_store: Store, expected: Expected, version: int
) -> None:
    """Every sum of its roll-ups, by what they are asked by, is that of a ledger which
    was filled by this version: of what was there, and of what comes."""
    _filled(_old(new_store, version))
    ledger = _opened(new_store)
    assert list(_held(new_store)) == expected.first
    levels = new_store.rows(
        "SELECT DISTINCT price_level FROM spend_hourly WHERE price_row != 0 ORDER BY 1"
    )
    assert levels == [{"price_level": 0}, {"price_level": 1}]
    ledger.load("later", LATER)
    assert list(_held(new_store)) == expected.later


@pytest.mark.parametrize("version", OLDER)
@pytest.mark.parametrize("is_opened_anew", [False, True])
def test_a_batch_that_is_repeated_after_an_upgrade_counts_once(
    new_store: Store, is_opened_anew: bool, version: int
) -> None:
    """One that the version before had loaded when it was killed: it is in no table
    twice, nor is one that was loaded between the upgrade and the next start."""
    _old(new_store, version).load("first", FIRST)
    ledger = _opened(new_store)
    ledger.load("second", LATER)
    held = list(_held(new_store))
    if is_opened_anew:
        for view in VIEWS:
            new_store.command(f"DETACH TABLE {view}")
            new_store.command(f"ATTACH TABLE {view}")
    ledger.load("first", FIRST)
    ledger.load("second", LATER)
    assert list(_held(new_store)) == held


def test_an_upgrade_that_was_cut_short_is_done_again(new_store: Store) -> None:
    """Done twice it leaves what it leaves when it is done once."""
    before = OLDER[-1]
    _filled(_old(new_store, before))
    _opened(new_store)
    held = list(_held(new_store))
    new_store.command(
        f"ALTER TABLE migrations DELETE WHERE version > {before}",
        settings={"mutations_sync": 2},
    )
    _opened(new_store).load("first", FIRST)
    assert list(_held(new_store)) == held


def _killed_behind(store: Store, version: int, last: str) -> None:
    """Do a migration up to a statement that begins so, or is the first half so."""
    ddl = Ddl(store.address)
    [text] = [m.text for m in migrations() if m.version == version]
    for statement in ddl.statements(text):
        if statement.startswith(last):
            store.command(last if last.startswith("RENAME") else statement)
            return
        store.command(statement)
    raise AssertionError(f"no statement begins with {last}")


@pytest.mark.parametrize(
    ("version", "last"),
    [
        (10, "INSERT INTO spend_hourly"),
        (10, "ALTER TABLE spend_hourly_view"),
        *((10, f"RENAME TABLE {view} TO {view}_") for view in VIEWS),
        (10, "INSERT INTO runs"),
        (11, "INSERT INTO spend_hourly"),
        (11, "ALTER TABLE spend_hourly_view"),
        (11, "RENAME TABLE spend_hourly_view TO spend_hourly_view_"),
    ],
)
def test_an_upgrade_goes_on_wherever_it_was_killed(
    new_store: Store, expected: Expected, version: int, last: str
) -> None:
    """Between its statements, and in the middle of those that are two."""
    _filled(_old(new_store, version - 1))
    _killed_behind(new_store, version, last)
    _opened(new_store).load("first", FIRST)
    assert list(_held(new_store)) == expected.first


def test_runs_can_be_read_whole(empty_ledger: Ledger) -> None:
    """By clients of ClickHouse's native format too, which do not know what is within
    the state of a function."""
    _filled(empty_ledger)
    [row] = empty_ledger.store.rows("SELECT * FROM runs FINAL WHERE run_id = 'run-4'")
    assert row["began_by"][2] == "writer"
    assert row["calls"] == 6
