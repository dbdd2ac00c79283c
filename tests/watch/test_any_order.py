"""Findings are those of the run, however its spans came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from farthing.collector.store.finding import StoredFinding
from farthing.collector.watch.judgements import Judgements, Verdict
from farthing.collector.watch.read import Reader
from farthing.collector.watch.watcher import Watcher
from tests.economics.loops.scenarios import SCENARIOS
from tests.watch.conftest import Watched
from tests.watch.spans import SAME, Told, read, renamed, run_of, tools_in_calls

STUCK = [read(0), read(1), *[SAME] * 12, *map(read, range(2, 7)), *[SAME] * 5]
RUNS = {
    "stuck": run_of("stuck", STUCK),
    "through calls": tools_in_calls("through calls", STUCK),
    "well": run_of("well", map(read, range(20))),
    **{
        scenario.name: run_of(
            scenario.name, [step for step in scenario.steps if step.kind == "tool"]
        )
        for scenario in SCENARIOS[::5]
    },
}
SPANS = [told for spans in RUNS.values() for told in spans]


def found_by(watched: Watched, batches: list[list[Told]], *, restarts: bool) -> Any:
    watched.clear()
    for batch in batches:
        watched.load(batch)
        if restarts:
            watched.restart()
    return watched.findings()


@pytest.fixture(scope="session")
def at_once(watched_ledger: Watched) -> Any:
    """What is found when all comes at once."""
    found = found_by(watched_ledger, [SPANS], restarts=False)
    assert {"stuck", "through calls"} < {row["run_id"] for row in found}
    assert "well" not in {row["run_id"] for row in found}
    return found


@pytest.mark.parametrize("seed", range(3))
def test_any_batches_order_and_repetition(
    at_once: Any, watched: Watched, seed: int
) -> None:
    """In any batches, in any order, with any span told twice, and with a restart after
    each batch or without, the same is found."""
    random = Random(seed)
    spans = [*SPANS, *random.sample(SPANS, 40)]
    if seed % 2:
        random.shuffle(spans)
    else:
        spans.sort(key=lambda told: (told.end_s, random.random()))
    cuts = sorted(random.sample(range(len(spans)), 3))
    batches = [spans[a:b] for a, b in zip([0, *cuts], [*cuts, len(spans)], strict=True)]
    assert found_by(watched, batches, restarts=seed > 1) == at_once


def test_a_batch_that_is_watched_again_changes_nothing(
    at_once: Any, watched: Watched
) -> None:
    """After a crash between load and watch, or by a second collector, a batch is
    watched (again), and the same is found once."""
    watched.clear()
    first = watched.load(SPANS[::2], watch=False)
    watched.restart()
    watched.watcher(first)
    watched.watcher(first)
    second = watched.load(SPANS[1::2])
    lines = watched.store.rows("SELECT count() AS n FROM findings")
    watched.watcher(second)
    watched.restart()
    watched.watcher(second)
    watched.watcher(first)
    assert watched.findings() == at_once
    assert watched.store.rows("SELECT count() AS n FROM findings") == lines


def test_what_was_forgotten_is_read_again(watched: Watched) -> None:
    """A loop whose beginning was watched by a collector that is gone is found from its
    beginning, as soon as its next span comes."""
    spans = renamed(run_of("x", [SAME] * 8), "resumed")
    watched.load(spans[:3])
    watched.load(spans[3:5])
    assert watched.findings() == []
    watched.restart()
    watched.load(spans[5:8])
    [found] = watched.findings("level, first_span_id, steps")
    assert (found["level"], found["steps"]) == ("confirmed", 3)


def test_what_was_cut_long_ago_and_is_loaded_late_is_read(watched: Watched) -> None:
    """A batch that waited for hours brings the beginning of a run that began, as far as
    was known, with a later one: the run is judged by both."""
    spans = renamed(run_of("x", [SAME] * 8), "waited")
    watched.load(spans)
    expected = watched.findings()
    watched.clear()
    watched.load(spans[8:])
    watched.load(spans[:8], named_before=timedelta(hours=5))
    assert watched.findings() == expected


def test_what_is_kept_changes_nothing_that_is_found(watched: Watched) -> None:
    """Judgements that are kept, or too many to be kept, find what new ones do,
    after each batch."""
    reader = Reader(watched.store)
    kept, crowded = Judgements(reader), Judgements(reader, entries_most=30)
    spans = sorted(SPANS, key=lambda told: told.start_s)
    known: list[dict[Any, StoredFinding]] = [{}, {}]
    for first in range(0, len(spans), 80):
        batch = spans[first : first + 80]
        name = watched.load(batch, watch=False)
        come = Counter(told.run for told in batch)
        for judgements, found in zip((kept, crowded), known, strict=True):
            take(found, judgements.go_on([name], come, dict.fromkeys(come)))
        anew: dict[Any, StoredFinding] = {}
        runs = dict.fromkeys(RUNS, 0)
        take(anew, Judgements(reader).go_on([], runs, dict.fromkeys(runs)))
        assert known == [anew, anew]
    assert {found.run_id for found in anew.values()} > {"stuck", "through calls"}


def take(known: dict[Any, StoredFinding], verdicts: Iterable[Verdict]) -> None:
    """Take what is new, as the table does."""
    for verdict in verdicts:
        for found in verdict.new:
            known[found.key] = replace(found, version=0)


def test_what_another_collector_loads_is_judged_too(watched: Watched) -> None:
    """Where two collectors load spans of one run, each looks again, once it has nothing
    else to do, at runs of which the ledger knows more than it loaded."""
    other = Watcher(watched.store)
    spans = run_of("shared", [SAME] * 12)
    watched.load(spans[:10])
    other(watched.load(spans[10:20], watch=False))
    watched.load(spans[20:])
    assert watched.watcher.look_again()
    watched.watcher.look_again()
    [found] = watched.findings("steps")
    assert found["steps"] == 11
    lines = watched.store.rows("SELECT count() AS n FROM findings")
    assert not watched.watcher.look_again()
    assert watched.store.rows("SELECT count() AS n FROM findings") == lines


def test_what_comes_late_to_a_large_run_is_judged_once_it_is_quiet(
    watched: Watched,
) -> None:
    """A run of hundreds of spans is not read anew for each that comes late: it is
    judged as they come, and as they happened once nothing comes any more."""
    steps = [*[SAME] * 5, *map(read, range(270)), *[SAME] * 30]
    spans = run_of("large", steps)
    watched.load(spans)
    expected = watched.findings()
    assert len(expected) == 2
    watched.clear()
    watched.load(spans[:400])
    for first, last in ((440, 580), (400, 440), (580, 610)):
        watched.load(spans[first:last])
    assert watched.watcher.look_again()
    watched.watcher.look_again()
    assert watched.findings() == expected
    assert not watched.watcher.look_again()
