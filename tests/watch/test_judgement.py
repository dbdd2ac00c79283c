"""A run that is judged part by part is judged as if it were judged at once."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.collector.store.finding import StoredFinding
from farthing.collector.watch.entry import Entry
from farthing.collector.watch.judge import Judgement, judge
from farthing.semconv import STEP_FIELDS, TOOL_RESULTS

OUTCOMES = ("same", "same", "same", "other", "new")


def row(at_us: int, kind: str, span: int, **more: Any) -> Entry:
    """An entry as sql/entries.sql has it."""
    made = Entry(
        run_id="run",
        at_us=at_us,
        trace_id="trace",
        span_id=f"span {span:03}",
        is_correction=False,
        is_double=False,
        kind=kind,
        agent="",
        tool_name="",
        tool_call_id="",
        error_type="",
        http_status="",
        calls=int(kind == "model_call"),
        input=100 + span,
        output=10,
        cost_usd=f"0.{span + 1:03}",
        is_unpriced=bool(span % 2),
        handed="",
        tags=json.dumps(["review" if span % 3 else "", "", "", "", "", ""]),
        load="batch",
        **dict.fromkeys((*STEP_FIELDS, "text_hash", "text_norm_hash", "user_turn"), ""),
    )
    return made._replace(**more)


def hashes(outcome: str, span: int) -> dict[str, str]:
    told = f"{outcome} {span}" if outcome == "new" else outcome
    result = {"result_hash": told, "result_norm_hash": told, "result_len": "900"}
    return {"args_hash": told, **result}


def tool(at_us: int, span: int, told: dict[str, str], **more: Any) -> Entry:
    """A tool's own span."""
    call = {"tool_name": "look", "tool_call_id": f"call {span}"}
    return row(at_us, "tool", span, **told | call | more)


def handed(at_us: int, span: int, told: dict[str, str], **more: Any) -> Entry:
    """A model call that was handed the result of the call of this number."""
    fields = {"call_id": f"call {span}", "name": "look", **told}
    own = {f"{TOOL_RESULTS}{name}": value for name, value in fields.items()}
    return row(at_us, "model_call", span + 500, handed=json.dumps(own), **more)


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    """All entries of a run, in their order: tools told by their spans, by the calls
    that were handed their results, or both; ids given out twice; refusals; spans that
    are sent again; duplicates and what corrects them."""
    rows: list[Entry] = []
    for span in range(draw(st.integers(4, 20))):
        at_us = draw(st.sampled_from((10 * span, 10 * span, 10 * (span // 2))))
        own = {"agent": draw(st.sampled_from(("", "", "", "helper")))}
        told = hashes(draw(st.sampled_from(OUTCOMES)), span)
        form = draw(st.sampled_from(("tool", "bare", "bare", "handed", "refused")))
        if form == "refused":
            made = row(at_us, "model_call", span, error_type="429", **own)
        elif form == "handed":
            made = handed(at_us, span, told, **own)
        else:
            made = tool(at_us, span, told if form == "tool" else {}, **own)
        rows.append(made)
        if form == "bare":
            rows.append(handed(at_us + 5, span, told, **own))
        what = draw(st.integers(0, 19))
        if what == 0:
            rows.append(made._replace(at_us=at_us + 15))
        elif what == 1:
            rows.append(made._replace(span_id=f"span {span + 900}"))
        elif what == 2:
            later_us = rows[-1].at_us + draw(st.sampled_from((0, 0, 25)))
            wrong = rows[-1]._replace(is_correction=True, is_double=True, calls=-1)
            rows.append(wrong._replace(at_us=later_us))
    return sorted(rows)


def known(found: Iterable[StoredFinding]) -> dict[Any, StoredFinding]:
    """The newest of each, whatever its version."""
    return {each.key: replace(each, version=0) for each in found}


@settings(deadline=None)
@given(entries(), st.data())
def test_parts_are_judged_as_the_whole(run: list[Entry], data: st.DataObject) -> None:
    """However entries arrive, going on with what follows, and beginning anew where it
    does not, finds what judging all of them finds."""
    late = data.draw(st.sets(st.integers(0, len(run) - 1), max_size=2))
    size = data.draw(st.integers(1, 9))
    arrival = [n + (n in late) * 12 for n in range(len(run))]
    arrival = [when // size for when in arrival]
    judgement = Judgement()
    found: dict[Any, StoredFinding] = {}
    for batch in sorted(set(arrival)):
        pairs = list(zip(run, arrival, strict=True))
        if not judgement.take([r for r, when in pairs if when == batch]):
            judgement, found = Judgement(), {}
            assert judgement.take([r for r, when in pairs if when <= batch])
        found |= known(judgement.news())
        assert found == known(judge([r for r, when in pairs if when <= batch]))


@settings(deadline=None)
@given(st.lists(st.sampled_from(OUTCOMES), min_size=4, max_size=24), st.data())
def test_a_run_in_its_order_goes_on(outcomes: list[str], data: st.DataObject) -> None:
    """What comes in its order is never judged anew; a loop is found all the same."""
    told = [hashes(outcome, n) for n, outcome in enumerate([*outcomes, *["same"] * 6])]
    run = [tool(10 * n + 1, n, hashed) for n, hashed in enumerate(told)]
    cuts = data.draw(st.lists(st.integers(0, len(run))))
    judgement = Judgement()
    found: dict[Any, StoredFinding] = {}
    for start, end in pairwise([0, *sorted(cuts), len(run)]):
        assert judgement.take(run[start:end])
        found |= known(judgement.news())
    assert found == known(judge(run)) != {}


def test_a_long_run_is_judged_in_bounded_memory() -> None:
    """A run of 40,000 calls that loops twice, far apart, takes no more memory than one
    of a few thousand; both loops are found, with all their calls and dollars."""
    judgement, sizes = Judgement(), []
    found: dict[Any, StoredFinding] = {}
    for first in range(0, 40_000, 1_000):
        is_stuck = first in (5_000, 6_000, 30_000)
        judgement.take(
            [
                made
                for n in range(first, first + 1_000)
                for made in (
                    row(
                        20 * n + 1, "model_call", n, cost_usd="0.001", is_unpriced=False
                    ),
                    tool(
                        20 * n + 11,
                        n + 50_000,
                        hashes("same" if is_stuck else "new", n),
                    ),
                )
            ]
        )
        found |= known(judgement.news())
        sizes.append(len(pickle.dumps(judgement)))
    assert [(f.steps, f.calls, str(f.cost_usd)) for f in found.values()] == [
        (1_999, 1_998, "1.998"),
        (999, 998, "0.998"),
    ]
    assert max(sizes[20:]) < 1.2 * max(sizes[:20])


def test_what_comes_late_to_a_long_run_is_taken_as_if_it_came_now() -> None:
    """It is not read again for it."""
    run = [tool(10 * n + 11, n, hashes("new", n)) for n in range(6_000)]
    judgement = Judgement()
    assert judgement.take(run)
    assert judgement.is_long
    assert judgement.take([tool(1, 9_000 + n, hashes("same", n)) for n in range(6)])
    assert [found.steps for found in judgement.news()] == [5]


def test_results_that_come_a_batch_later_are_steps_of_a_long_run() -> None:
    """Where a tool's own span has no fingerprints and the next model call, which hands
    its result over, comes in the next batch, a loop is found all the same."""
    judgement = Judgement(earlier=3_000)
    bare: dict[str, str] = {}
    assert judgement.take([tool(5, 0, bare)])
    for n in range(1, 9):
        told = handed(10 * n, n - 1, hashes("same", n))
        assert judgement.take([told, tool(10 * n + 5, n, bare)])
    [found] = judgement.news()
    assert (found.level, found.steps) == ("confirmed", 7)


def test_what_a_long_run_took_is_not_taken_again() -> None:
    """A batch that is watched twice adds no calls and no dollars, nor does what
    corrects one."""
    judgement = Judgement(earlier=3_000)
    batch = []
    for n in range(8):
        batch.append(row(10 * n, "model_call", 100 + n, cost_usd="1"))
        batch.append(tool(10 * n + 5, n, hashes("same", n)))
    wrong = batch[-2]._replace(is_correction=True, calls=-1, cost_usd="-1")
    batch.append(wrong._replace(at_us=76))
    assert judgement.take(batch)
    once = judgement.news()
    assert [(found.calls, str(found.cost_usd)) for found in once] == [(5, "5")]
    assert judgement.take(batch)
    assert judgement.news() == once


def test_a_loop_of_no_agent_counts_no_calls_of_agents() -> None:
    """Where spans have no agent's name, what agents that have one spent meanwhile is
    not counted to a loop in them."""
    run = []
    for n in range(8):
        run.append(row(10 * n, "model_call", 100 + n, cost_usd="1"))
        run.append(row(10 * n + 2, "model_call", 300 + n, cost_usd="50", agent="other"))
        run.append(tool(10 * n + 5, n, hashes("same", n)))
    [found] = judge(run)
    assert (found.calls, str(found.cost_usd)) == (6, "6")
