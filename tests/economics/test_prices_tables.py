"""What SQL gets of the price book, and what people get of it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from farthing.economics.prices import Call, Ctx, load_catalogue
from farthing.economics.prices import tables as t
from farthing.economics.prices.explain import diff, explain, lookup, near
from farthing.economics.prices.golden import check
from farthing.economics.prices.rates import Kind, Origin, RateRow
from farthing.economics.prices.resolver import normalise
from farthing.economics.usage import TokenBuckets
from farthing.errors import ConfigError

GOLDEN = Path(__file__).parent / "golden_prices.jsonl"

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (t.price_table_rows, t.PRICE_COLUMNS),
        (t.model_table_rows, t.MODEL_COLUMNS),
        (t.provider_alias_rows, t.PROVIDER_ALIAS_COLUMNS),
        (t.host_rows, t.HOST_COLUMNS),
        (t.normalisation_rows, t.NORMALISATION_COLUMNS),
        (t.region_rows, t.REGION_COLUMNS),
        (t.unmapped_rows, t.UNMAPPED_COLUMNS),
        (t.tier_rows, t.TIER_COLUMNS),
        (t.multiplier_rows, t.MULTIPLIER_COLUMNS),
        (t.tool_fee_rows, t.TOOL_FEE_COLUMNS),
        (t.slot_window_rows, t.SLOT_WINDOW_COLUMNS),
        (t.holiday_rows, t.HOLIDAY_COLUMNS),
    ],
)
def test_every_table_has_rows_as_wide_as_its_columns(rows, columns) -> None:  # type: ignore[no-untyped-def]
    """A table's rows come in the order of its column list."""
    made = list(rows(load_catalogue()))
    assert made
    assert {len(row) for row in made} == {len(columns)}


def test_price_rows_are_ready_for_a_range_dictionary() -> None:
    """Inclusive ends, -1 for absent, missing levels repeated, sources filled in."""
    rows = [
        dict(zip(t.PRICE_COLUMNS, row, strict=True))
        for row in t.price_table_rows(load_catalogue())
        if row[:4] == ("openai", "gpt-5.5", 0, 0)
    ]
    (row,) = rows
    assert row["valid_to"] == 4_102_444_799
    assert row["thresholds"] == [272_000]
    assert row["level0"] == [
        5_000_000_000, 500_000_000, 5_000_000_000, 5_000_000_000, -1, -1,
        30_000_000_000, 30_000_000_000, -1,
    ]  # fmt: skip
    assert row["level1"] == row["level2"] == row["level3"] != row["level0"]
    assert row["source"].startswith("genai-prices 0.2.3: https://")
    assert row["checked_on"] == "2026-11-15"


def test_keyed_normalisations_do_the_same_to_provider_and_reference() -> None:
    """Applied to `provider:reference`, the keyed pairs give `provider:id`."""
    held = load_catalogue()
    refs = [
        ("aws", "arn:aws:bedrock:us-east-1:1:inference-profile/us.meta.llama3"),
        ("openai", "openai/ft:gpt-4o-2024-08-06:acme::a"),
        ("azure", "gpt-35-turbo-20240125.ft-1"),
        ("google", "projects/p/locations/l/publishers/google/models/gemini-x"),
        ("openrouter", "openrouter/meta-llama/llama:free"),
        ("groq", "openai/gpt-oss-20b"),
    ]
    for provider, ref in refs:
        text = f"{provider}:{ref}"
        for row in t.normalisation_rows(held):
            assert row[2].startswith("^")
            text = re.sub(row[4], row[5], text, count=1)
        assert text == f"{provider}:{normalise(held.rules, provider, ref)}"


def test_hosts_come_longest_first() -> None:
    """The first suffix that matches is the most specific one."""
    lengths = [len(suffix) for suffix, _ in t.host_rows(load_catalogue())]
    assert lengths == sorted(lengths, reverse=True)


def test_an_explanation_tells_each_step() -> None:
    """Provider, model, context, row, level, rates, components and cost are told."""
    call = Call(
        provider="aws.bedrock",
        response_model="us.anthropic.claude-haiku-5-5",
        at=AT,
        buckets=TokenBuckets(input=100_001, output=10),
    )
    told = {step.name: step for step in explain(call, load_catalogue()).steps}
    assert told["provider"].result == "aws"
    assert told["level"].result == "1"
    assert told["input"].result == "0.05500055 USD"
    assert told["cost"].result == "0.05502805 USD"


def test_an_explanation_of_an_unknown_says_why() -> None:
    """Without a model or a row the steps end with the reason."""
    call = Call(provider="openai", response_model="gpt-9", at=AT, buckets=None)
    steps = explain(call, load_catalogue()).steps
    assert "unknown_model" in steps[1].why
    tier = Call(
        provider="openai",
        response_model="gpt-4o",
        at=AT,
        buckets=TokenBuckets(input=1),
        service_tier="flex",
    )
    last = explain(tier, load_catalogue()).steps
    assert ("price", "none") in [step[:2] for step in last]


def test_lookup_quotes_every_provider_and_context() -> None:
    """A bare model name is quoted wherever it is sold, as it is served."""
    quotes = {
        quote.provider: quote for quote in lookup("gpt-5", load_catalogue(), at=AT)
    }
    assert {"openai", "azure"} <= set(quotes)
    contexts = {row.ctx for row in quotes["openai"].rows}
    assert {Ctx.STANDARD, Ctx.BATCH, Ctx.FLEX, Ctx.PRIORITY} <= contexts
    assert {row.ctx for row in quotes["azure"].rows} == {Ctx.STANDARD}
    assert all(quotes["openai"].sources)
    assert lookup("gpt-99", load_catalogue(), at=AT) == ()


def test_near_names_help_people_only() -> None:
    """A typo gets suggestions."""
    assert "gpt-5-mini" in near("gpt5-mini", load_catalogue(), provider="openai")


def test_a_diff_lists_what_changed() -> None:
    """Two catalogues differ in exactly the rows that differ."""
    before = load_catalogue()
    row = RateRow(
        "openai", "gpt-5", 0, 0, 0, 4_102_444_800, (), ((1,) * 9,), Kind.PRICED,
        origin=Origin.USER,
    )  # fmt: skip
    after = before.extended(rows=[row], sha256="x")
    (change,) = diff(before, after)
    assert change.key.model == "gpt-5"
    assert change.after == row
    assert diff(before, before) == ()


def test_the_check_says_what_is_wrong(tmp_path: Path) -> None:
    """A wrong expectation is listed with what came out and why."""
    case = {
        "id": "x1",
        "provider": "openai",
        "model": "gpt-5",
        "timestamp": "2026-11-20T12:00:00Z",
        "usage": {"input_tokens": 1000, "output_tokens": 0},
        "expected_status": "priced",
        "expected_usd": "0.5",
    }
    unknown = {**case, "id": "x2", "model": "gpt-99"}
    path = tmp_path / "cases.jsonl"
    path.write_text(f"{json.dumps(case)}\n\n{json.dumps(unknown)}\n")
    found = check(path, load_catalogue()).to_json()
    assert (found["right"], found["of"]) == (0, 2)
    assert found["wrong"][0]["got"] == "priced 0.00125"
    assert found["wrong"][1]["why"] == "state unpriced (unknown_model)"


def test_a_file_that_is_no_golden_file_is_refused(tmp_path: Path) -> None:
    """A broken line is an error, not a wrong case."""
    path = tmp_path / "cases.jsonl"
    path.write_text("{\n")
    with pytest.raises(ConfigError, match="is not JSON"):
        check(path, load_catalogue())


def test_an_unknown_count_makes_its_case_wrong(tmp_path: Path) -> None:
    """A count that we cannot read is not left out of a price; the others are judged."""
    lines = [
        json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()[:2]
    ]
    lines[0]["usage"]["video_tokens"] = 7
    path = tmp_path / "cases.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = check(path, load_catalogue())
    assert (found.right, found.of) == (1, 2)
    assert "video_tokens" in found.wrong[0].why
