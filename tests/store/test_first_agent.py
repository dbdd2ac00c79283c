"""Whose a run is: of the agent that began first."""

from __future__ import annotations

from farthing.collector.demo.tell import Attributes
from farthing.collector.report.runs import run
from farthing.collector.store.client import Store
from farthing.collector.store.ledger import Ledger
from farthing.collector.store.schema import Ddl, migrate, migrations
from farthing.economics.prices import load_catalogue
from tests.watch.spans import Told, request

ENTRIES = """
INSERT INTO spans (run_id, time, duration_us, kind, agent, ingested_at) VALUES
    ('old', '2026-03-18 10:00:00', 60000000, 'agent', 'a lead', '2026-03-18 10:01:00'),
    ('old', '2026-03-18 09:59:50', 10000000, 'agent', 'writer', '2026-03-18 10:01:00'),
    ('nobody', '2026-03-18 10:00:00', 1000000, 'model_call', '', '2026-03-18 10:01:00')
"""


def _opened(store: Store) -> Ledger:
    ledger = Ledger(store, load_catalogue())
    ledger.open(retention_days=None)
    return ledger


def _by(agent: str, start_s: float, end_s: float) -> Told:
    name = f"{agent} at {start_s}"
    told: Attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": agent,
    }
    return Told("r", name, start_s, end_s, told)


def test_a_run_is_that_of_its_first_agent(empty_ledger: Ledger) -> None:
    """Not of one that it called: whatever their names are and whichever is loaded
    first, and of two that began at once the one that went on longer. What no agent did
    does not count."""
    ledger = empty_ledger
    ledger.load("called", [request([_by("writer", 2, 5), _by("a reader", 1, 4)])])
    assert run(ledger.store, "r")[0].agent == "a reader"
    ledger.load("caller", [request([_by("", 0, 9), _by("lead", 1, 8)])])
    ledger.load("later", [request([_by("zeta", 6, 7)])])
    assert run(ledger.store, "r")[0].agent == "lead"
    ledger.store.command("OPTIMIZE TABLE runs FINAL")
    assert run(ledger.store, "r")[0].agent == "lead"


def test_an_older_ledger_learns_the_first_agents_of_its_runs(new_store: Store) -> None:
    """From what it has, once or twice; nothing else of its runs changes."""
    ddl = Ddl(new_store.address)
    migrate(new_store, ddl=ddl, known=[m for m in migrations() if m.version < 9])
    new_store.command(ENTRIES)
    held = (
        "SELECT run_id, min(start_time), max(end_time), sum(spans), max(ingested_at)"
        " FROM runs GROUP BY run_id ORDER BY run_id"
    )
    before = new_store.rows(held)
    for _ in range(2):
        _opened(new_store)
        assert [run(new_store, name)[0].agent for name in ("old", "nobody")] == [
            "a lead",
            "",
        ]
        assert new_store.rows(held) == before
        new_store.command(
            "ALTER TABLE migrations DELETE WHERE version = 9",
            settings={"mutations_sync": 2},
        )
