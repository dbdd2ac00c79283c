"""Runs that are too long to be read again, and what could not be written."""

from __future__ import annotations

import pytest

from farthing.collector.watch import judge, judgements
from farthing.collector.watch.baselines import Baselines
from farthing.economics.loops import Baseline
from farthing.errors import StoreUnavailable
from tests.watch.conftest import Watched
from tests.watch.spans import SAME, read, run_of

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
