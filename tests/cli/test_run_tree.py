"""A run as a tree: every span is shown once, whatever its parents claim."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from farthing.cli.run_show import tree
from farthing.collector.report.runs import Entry
from farthing.collector.report.spend import BUCKETS

ENTRY = Entry(
    start_time=datetime(2026, 11, 1, tzinfo=UTC), duration_us=1000, entry="span",
    reason="", trace_id="t", span_id="a", parent_span_id="", name="chat",
    kind="model_call", operation="chat", dialect="semconv", step="", agent="",
    provider="openai", model="gpt-5", model_match="exact", tool_name="", error_type="",
    calls=1, cost_usd=Decimal("0.5"), tool_fee_usd=None, cost_state="priced",
    cost_reason="", price_row=1, usage_rule="inclusive", service_tier="", flags=(),
    tokens=dict.fromkeys(BUCKETS, 0),
)  # fmt: skip


def entries(parents: dict[str, str]) -> list[Entry]:
    """Spans by id, each with its parent."""
    return [
        replace(ENTRY, span_id=own, parent_span_id=parent, model=f"m-{own}")
        for own, parent in parents.items()
    ]


def test_children_stand_below_their_parents() -> None:
    """A child is indented below its parent; one whose parent is not here is at the
    top, and so is a span of another trace with the parent's id."""
    found = entries({"a": "", "b": "a", "c": "b", "d": "gone"})
    found.append(replace(found[1], trace_id="other", span_id="e", model="m-e"))
    lines = [line.partition("  1 ms")[0] for line in tree(found)]
    assert lines == ["chat m-a", "  chat m-b", "    chat m-c", "chat m-d", "chat m-e"]


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")))
def test_circles_hide_nothing(parents: dict[str, str]) -> None:
    """Spans that are each other's parents, or their own, are all shown, once each."""
    lines = list(tree(entries(parents)))
    for own in parents:
        assert sum(f"chat m-{own} " in line for line in lines) == 1
    assert len(lines) == len(parents)


def test_a_deep_tree_stays_readable() -> None:
    """Five thousand spans, each below the last, are shown without running away to the
    right."""
    ids = [f"{number:04}" for number in range(5000)]
    lines = list(tree(entries(dict(zip(ids, ["", *ids], strict=False)))))
    assert len(lines) == 5000
    assert max(map(len, lines)) < 80
    assert "(4999 deep) chat m-4999" in lines[-1]


def test_what_is_not_known_is_said() -> None:
    """A call without a price shows why; one with a part of it shows a lower bound,
    and which buckets it lacks."""
    unknown = replace(
        ENTRY, cost_usd=None, cost_state="unpriced", cost_reason="unknown_model"
    )
    part = replace(
        ENTRY,
        cost_state="partial",
        cost_reason="no_rate_for_bucket",
        unpriced_buckets=("cache_write_1h", "output_audio"),
    )
    failed = replace(ENTRY, cost_state="", error_type="timeout")
    shown = [next(tree([entry])) for entry in (unknown, part, failed)]
    assert shown[0].endswith("unpriced: unknown model")
    assert shown[1].endswith(
        "≥ $0.5000 (partial: no rate for bucket cache write 1h, output audio)"
    )
    assert shown[2].endswith("failed: timeout")
