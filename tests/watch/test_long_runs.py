"""Runs that are too long to be read again, and what could not be written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from farthing.collector.watch import judge, judgements
from farthing.collector.watch.baselines import Baselines
from farthing.economics.loops import Baseline
from farthing.errors import StoreUnavailable
from tests.watch.conftest import Watched
from tests.watch.spans import SAME, Told, read, run_of

EXCEEDED = Baseline(runs=20, calls=1, tokens=1, agent_calls=1, cost_femto_usd=1)


@pytest.fixture
def long_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are long from forty entries on."""
    monkeypatch.setattr(judge, "LONG_RUN", 40)
    monkeypatch.setattr(judgements, "LONG_RUN", 40)


@pytest.mark.usefixtures("long_run")
def test_a_long_run_that_exceeds_its_kind_goes_on(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One loop that lasts for many batches is one finding: the run is not read again
    for each because it took more than others of its kind."""
    monkeypatch.setattr(Baselines, "exceeded", lambda *_: EXCEEDED)
    spans = run_of("long", [*map(read, range(25)), *[SAME] * 12])
    watched.load(spans[:50], watch=False)
    for first in range(50, len(spans), 4):
        watched.load(spans[first : first + 4])
    [found] = watched.findings("episode, level, steps")
    assert (found["episode"], found["level"]) == (1, "confirmed")


@pytest.mark.usefixtures("long_run")
def test_an_ended_finding_that_was_not_written_is_found_again(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the store is away as findings are written, the batch is watched again and
    what ended in it is written then."""
    steps = [*map(read, range(25)), *[SAME] * 8, *map(read, range(25, 35))]
    spans = run_of("cut", steps)
    watched.load(spans[:50])
    watched.load(spans[50:54])
    name = watched.load(spans[54:], watch=False)

    def away(*_: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(watched.store, "insert", away)
        with pytest.raises(StoreUnavailable):
            watched.watcher(name)
    watched.watcher(name)
    [found] = watched.findings("ongoing, steps")
    assert (found["ongoing"], found["steps"]) == (False, 7)


@pytest.mark.usefixtures("long_run")
def test_a_call_of_a_long_run_that_is_sent_again_counts_once(watched: Watched) -> None:
    """A model call that another request brings again, whole, is taken back once in the
    ledger, and counts once in what the loop cost; so does one whose batch is watched
    again."""
    spans = run_of("again", [*map(read, range(25)), *[SAME] * 12])
    watched.load(spans[:50])
    watched.load(spans[50:66])
    name = watched.load([*spans[66:], spans[66]])
    watched.load([spans[66], spans[68]])
    watched.watcher(name)
    [found] = watched.findings("calls, tokens")
    assert (found["calls"], found["tokens"]) == (10, 11_000)


def bare(spans: Sequence[Told], **more: str) -> list[Told]:
    """Calls of which only their tool is known, and what else is told."""
    kept = ("gen_ai.operation.name", "gen_ai.tool.name", "gen_ai.tool.call.id")
    return [
        replace(t, attributes={k: t.attributes[k] for k in kept} | more) for t in spans
    ]


@pytest.mark.usefixtures("long_run")
def test_the_last_calls_of_a_long_run_are_judged(watched: Watched) -> None:
    """Calls whose results nobody told wait for the model call that may; if nothing
    follows, they are judged as they are: here they end a storm of refused calls."""
    spans = run_of("over", [*map(read, range(25)), *[SAME] * 16])
    watched.load(spans[:50])
    calls = spans[51::2]
    watched.load(bare(calls[:8], **{"error.type": "429"}))
    watched.load(bare(calls[8:]))
    [before] = watched.findings("kind, ongoing")
    assert before == {"kind": "retry_storm", "ongoing": True}
    while watched.watcher.look_again():
        pass
    [after] = watched.findings("kind, ongoing")
    assert after == {"kind": "retry_storm", "ongoing": False}
