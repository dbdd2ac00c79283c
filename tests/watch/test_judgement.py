"""A run that is judged part by part is judged as if it were judged at once."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.collector.watch.judge import Judgement, judge
from farthing.semconv import FINGERPRINT, TOOL_RESULTS

Row = dict[str, Any]
ORDER = ("start_us", "trace_id", "span_id")
OUTCOMES = ("same", "same", "same", "other", "new")


def row(start_us: int, kind: str, span: int, **more: Any) -> Row:
    """An entry as sql/entries.sql has it."""
    return {
        "run_id": "run",
        "start_us": start_us,
        "entry": "span",
        "reason": "",
        "trace_id": "trace",
        "span_id": f"span {span:03}",
        "kind": kind,
        "agent": "",
        "tool_name": "",
        "tool_call_id": "",
        "error_type": "",
        "calls": int(kind == "model_call"),
        "tool_calls": int(kind == "tool"),
        "input": 100 + span,
        "output": 10,
        "cost_usd": f"0.{span + 1:03}",
        "is_unpriced": span % 2,
        "task_type": "review" if span % 3 else "",
        "business_unit": "",
        "team": "",
        "user": "",
        "service": "",
        "environment": "",
        "fingerprints": {},
        **more,
    }


def hashes(outcome: str, span: int) -> dict[str, str]:
    told = f"{outcome} {span}" if outcome == "new" else outcome
    result = {"result_hash": told, "result_norm_hash": told, "result_len": "900"}
    return {"args_hash": told, **result}


def tool(start_us: int, span: int, told: dict[str, str], **more: Any) -> Row:
    """A tool's own span."""
    own = {f"{FINGERPRINT}{name}": value for name, value in told.items()}
    call = {"tool_name": "look", "tool_call_id": f"call {span}"}
    return row(start_us, "tool", span, fingerprints=own, **call | more)


def handed(start_us: int, span: int, told: dict[str, str], **more: Any) -> Row:
    """A model call that was handed the result of the call of this number."""
    fields = {"call_id": f"call {span}", "name": "look", **told}
    own = {f"{TOOL_RESULTS}{name}": value for name, value in fields.items()}
    return row(start_us, "model_call", span + 500, fingerprints=own, **more)


@st.composite
def entries(draw: st.DrawFn) -> list[Row]:
    """All entries of a run, in their order: tools told by their spans, by the calls
    that were handed their results, or both; ids given out twice; refusals; spans that
    are sent again; duplicates and what corrects them."""
    rows: list[Row] = []
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
            rows.append(made | {"start_us": at_us + 15})
        elif what == 1:
            rows.append(made | {"span_id": f"span {span + 900}"})
        elif what == 2:
            wrong = {"entry": "correction", "reason": "duplicate", "calls": -1}
            later_us = rows[-1]["start_us"] + draw(st.sampled_from((0, 0, 25)))
            rows.append(rows[-1] | wrong | {"start_us": later_us})
    return sorted(rows, key=lambda r: [*(r[k] for k in ORDER), r["entry"] != "span"])


@settings(deadline=None)
@given(entries(), st.data())
def test_parts_are_judged_as_the_whole(run: list[Row], data: st.DataObject) -> None:
    """However entries arrive, going on with what is newer, where that is all that is
    new, finds what judging all of them finds."""
    late = data.draw(st.sets(st.integers(0, len(run) - 1), max_size=2))
    size = data.draw(st.integers(1, 9))
    arrival = [n + (n in late) * 12 for n in range(len(run))]
    arrival = [when // size for when in arrival]
    judgement = Judgement()
    for batch in sorted(set(arrival)):
        known = [r for r, when in zip(run, arrival, strict=True) if when <= batch]
        since_us = judgement.last_us if len(judgement) else -1
        newer = [r for r in known if r["start_us"] > since_us]
        is_all = len(judgement) + len(newer) == len(known)
        if not (is_all and judgement.take(newer)):
            judgement = Judgement()
            assert judgement.take(known)
        assert judgement.found() == judge(known)


@settings(deadline=None)
@given(st.lists(st.sampled_from(OUTCOMES), min_size=4, max_size=24), st.data())
def test_a_run_in_its_order_goes_on(outcomes: list[str], data: st.DataObject) -> None:
    """What comes in its order is never judged anew; a loop is found all the same."""
    told = [hashes(outcome, n) for n, outcome in enumerate([*outcomes, *["same"] * 6])]
    run = [tool(10 * n, n, hashed) for n, hashed in enumerate(told)]
    cuts = data.draw(st.lists(st.integers(0, len(run))))
    judgement = Judgement()
    for start, end in pairwise([0, *sorted(cuts), len(run)]):
        assert judgement.take(run[start:end])
    assert judgement.found() == judge(run) != []
