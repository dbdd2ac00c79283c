"""Runs as they are asked for: all of a list, and as much of one as is wanted."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from click.testing import CliRunner

from farthing.cli import run_show as command
from farthing.collector.report.runs import run, runs
from farthing.collector.report.spend import spend
from farthing.collector.store.client import Store
from farthing.collector.store.ledger import Ledger
from farthing.errors import ConfigError
from tests.store.otlp import DEFAULT_END_S, Told, request

HOSTILE = "[bold]\x1b[2J[/]\r\nx"
_LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def long_run(shared_ledger: Ledger) -> str:
    """A run of 5,000 calls with a hostile model name and agent."""
    run_id = f"long-{secrets.token_hex(4)}"
    told = [
        Told(
            {
                "farthing.task.id": run_id,
                "farthing.task.type": f"kind-{run_id}",
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": HOSTILE if number % 2 else "gpt-5",
                "gen_ai.agent.name": HOSTILE,
                "gen_ai.usage.input_tokens": 1000,
                "gen_ai.usage.output_tokens": 10,
            },
            end_s=DEFAULT_END_S + number,
        )
        for number in range(5000)
    ]
    shared_ledger.load(f"test:{run_id}", [request(told)])
    return run_id


def test_a_long_run_says_what_is_left_out(
    long_run: str, ledger_store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run is never cut in silence: the number of spans that are not shown is told,
    and the run's own numbers hold them all."""
    found, entries = run(ledger_store, long_run, limit=100)
    assert (len(entries.first), entries.of, entries.left_out) == (100, 5000, 4900)
    assert entries.first == tuple(sorted(entries.first, key=lambda e: e.start_time))
    assert (found.calls, found.unpriced_calls) == (5000, 2500)
    assert found.cost_usd == 2500 * Decimal("0.00135")
    assert found.lower_bound
    command.print_run(found, entries, (), now=found.end_time)
    shown = capsys.readouterr().out
    assert "(4,900 later spans are left out: --limit 5000 shows all)" in shown
    assert "unpriced: unknown model" in shown
    assert "(2,500 calls without a price)" in shown


def test_hostile_names_are_text(
    long_run: str, ledger_store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names with markup, escapes and line breaks neither move the cursor nor add a
    line."""
    found, entries = run(ledger_store, long_run, limit=50)
    command.print_run(found, entries, (), now=found.end_time)
    shown = capsys.readouterr().out
    assert "[bold][2J[/]" in shown
    assert "\x1b" not in shown
    assert "\r" not in shown
    assert len([line for line in shown.splitlines() if line.startswith("chat ")]) == 50


def test_a_list_counts_what_it_leaves_out(long_run: str, ledger_store: Store) -> None:
    """A list holds as many runs as were asked for, of one kind of task if that was
    asked, and knows how many there are."""
    found = runs(
        ledger_store,
        since=_LONG_AGO,
        order="cost",
        task_type=f"kind-{long_run}",
        limit=10,
    )
    assert [item.run_id for item in found.first] == [long_run]
    assert found.of == 1
    everything = runs(
        ledger_store, since=_LONG_AGO, order="time", task_type="", limit=1
    )
    assert len(everything.first) == 1


@pytest.mark.parametrize("run_id", ["nosuch", "", "'; DROP TABLE spans --"])
def test_an_unknown_run_is_a_wrong_question(run_id: str, ledger_store: Store) -> None:
    """An id that no run has is answered with where to find one."""
    with pytest.raises(ConfigError, match="`farthing runs` lists them"):
        run(ledger_store, run_id)


@pytest.mark.usefixtures("long_run")
def test_a_report_has_no_unknown_dimension(ledger_store: Store) -> None:
    """Only what the roll-up holds can be asked for: nothing reaches the SQL unseen."""
    now = datetime.now(UTC)
    with pytest.raises(ConfigError, match="by one of: task_type"):
        spend(ledger_store, by="run_id; DROP TABLE spans", since=now, now=now)


def test_run_show_wants_an_id() -> None:
    """`farthing run` alone says what it can do, with 2."""
    assert CliRunner().invoke(command.command, []).exit_code == 2


def test_a_cost_in_part_names_what_it_lacks(
    shared_ledger: Ledger, ledger_store: Store
) -> None:
    """Of a call whose price row has no rate for some of its tokens these are named;
    of its neighbour, which has a price, nothing is."""
    run_id = f"part-{secrets.token_hex(4)}"
    attributes = {
        "farthing.task.id": run_id,
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 10,
    }
    heard = {**attributes, "gen_ai.usage.audio.input_tokens": 40}
    shared_ledger.load(f"test:{run_id}", [request([Told(attributes), Told(heard)])])
    _, entries = run(ledger_store, run_id)
    lacking = {e.cost_state: e.unpriced_buckets for e in entries.first}
    assert lacking == {"priced": (), "partial": ("input_audio",)}
