"""The SQL that decodes and prices says the same as the rules in Python."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from farthing.collector.pricebook import load_user_prices
from farthing.collector.store.ledger import Ledger
from farthing.economics.prices import Catalogue, Flag, load_catalogue, price
from farthing.economics.prices.call import Cost
from farthing.economics.prices.golden import TOLERANCE_USD
from farthing.economics.prices.resolver import fold
from farthing.economics.usage import TokenBuckets
from tests.store.dice import CALL, SEARCHES, USAGE, Case, Dice
from tests.store.otlp import Told, rows

GOLDEN = Path(__file__).parents[1] / "economics" / "golden_prices.jsonl"
MORE = GOLDEN.with_name("golden_more.jsonl")
COUNTS = {**USAGE, "web_searches": SEARCHES}


def expected(case: Case, catalogue: Catalogue) -> dict[str, Any]:
    cost = price(case.call, catalogue)
    buckets = case.usage.buckets or TokenBuckets()
    rule = case.usage.rule
    claim = case.call.claimed_usd
    ref = fold(case.call.ref)
    return {
        "provider": cost.provider,
        "model": cost.model or ref,
        "model_match": cost.match,
        **_tokens(buckets),
        "usage_rule": "" if rule is None else rule.value,
        "cost_usd": cost.usd,
        "tool_fee_usd": _fees(cost),
        "claimed_usd": _claim(claim),
        "cost_state": cost.state.value,
        "cost_reason": "" if cost.reason is None else cost.reason.value,
        "price_row": cost.row_id,
        "catalogue": cost.catalogue_sha256 if cost.row_id else "",
        "web_searches": case.call.tool_uses["web_search"] if case.usage.buckets else 0,
        "flags": _flags(case, cost),
    }


def _flags(case: Case, cost: Cost) -> set[str]:
    return {str(word) for word in (*case.usage.flags, *cost.words)} - {"invalid"}


def _tokens(buckets: TokenBuckets) -> dict[str, int]:
    short = buckets.cache_write_5m + buckets.cache_write_unknown
    return {
        "input_tokens": buckets.input,
        "cache_read_tokens": buckets.cache_read,
        "cache_write_5m_tokens": short,
        "cache_write_1h_tokens": buckets.cache_write_1h,
        "input_audio_tokens": buckets.input_audio,
        "cache_audio_tokens": buckets.cache_audio,
        "output_tokens": buckets.output,
        "reasoning_tokens": buckets.reasoning,
        "output_audio_tokens": buckets.output_audio,
    }


def _fees(cost: Cost) -> Decimal | None:
    if cost.state not in ("priced", "partial") or "provider_reported" in cost.flags:
        return None
    told = [
        usd for name, usd in cost.components_usd.items() if name.startswith("tool:")
    ]
    return sum(told, Decimal(0))


def _claim(claim: Decimal | None) -> Decimal | None:
    if claim is None or not claim.is_finite() or not 0 <= claim <= 1_000_000:
        return None
    return Decimal(int(claim * 10**15)).scaleb(-15)


USER_PRICES = """
prices:
  - {provider: openai, model: gpt-5, from: 2026-10-01,
     usd_per_mtok: {input: 1, output: 8}}
discounts: [{provider: anthropic, percent: 12.5, from: 2026-01-01}]
free: [{provider: ollama}]
flat_rate: [{provider: github-copilot, from: 2026-06-01}]
models: [{provider: azure, name: my-prod, is: gpt-5-2025-08-07}]
hosts: [{host: llm.example.com, provider: openai}, {host: localhost, provider: groq}]
"""


@pytest.mark.parametrize("seed", [1, 4])
def test_sql_says_the_same_as_python(ledger: Ledger, seed: int) -> None:
    """Buckets, model, price, state, reason and flags of any call are equal, exactly."""
    found = _compare(ledger, load_catalogue(), name=f"equal-{seed}", seed=seed)
    states = {row["cost_state"] for row in found}
    assert states == {"priced", "free", "partial", "unpriced", "no_usage"}
    assert {flag for row in found for flag in row["flags"]} >= set(Flag) - {
        "unconfirmed"
    }


def test_sql_follows_an_operators_prices(ledger: Ledger, tmp_path: Path) -> None:
    """The same holds under discounts, subscriptions, and hosts of one's own."""
    (tmp_path / "prices.yaml").write_text(USER_PRICES)
    catalogue = load_user_prices(tmp_path / "prices.yaml", load_catalogue())
    ledger.use_prices(catalogue)
    try:
        found = _compare(ledger, catalogue, name="equal-user", seed=3)
    finally:
        ledger.use_prices(load_catalogue())
    assert "flat_rate" in {row["cost_state"] for row in found}


def _compare(
    ledger: Ledger, catalogue: Catalogue, *, name: str, seed: int
) -> list[dict[str, Any]]:
    dice = Dice(seed, catalogue)
    cases = [dice.case() for _ in range(4_000)]
    found = rows(ledger, name, [case.told for case in cases])
    wrong = []
    for number, case in enumerate(cases):
        want = expected(case, catalogue)
        row = {**found[number], "flags": set(found[number]["flags"])}
        differ = {key: (row[key], want[key]) for key in want if row[key] != want[key]}
        if differ:
            wrong.append((differ, dict(case.told.attributes), case.told.end_s))
    assert wrong[:5] == []
    return list(found.values())


def test_sql_prices_every_published_case(ledger: Ledger) -> None:
    """The golden file, told as spans, comes out as published: 88 of 88.

    A span from the future is told by a broken clock: it is priced as of now.
    """
    cases = [json.loads(line) for line in GOLDEN.read_text().splitlines()]
    found = rows(ledger, "golden", [_golden(case) for case in cases])
    wrong = [
        case["id"]
        for number, case in enumerate(cases)
        if not _met(case, found[number])
        and "time_assumed" not in found[number]["flags"]
    ]
    assert (len(cases) - len(wrong), wrong) == (88, [])


def test_sql_prices_more_published_cases(ledger: Ledger) -> None:
    """So do the further cases, but for what spans tell otherwise: no span tells of file
    searches, and cache above input proves an emitter that leaves the cache out."""
    cases = [
        case
        for case in map(json.loads, MORE.read_text().splitlines())
        if case["category"] != "usage" and "file_searches" not in case["usage"]
    ]
    found = rows(ledger, "more", [_golden(case) for case in cases])
    wrong = [
        (case["id"], found[number]["cost_state"], found[number]["cost_usd"])
        for number, case in enumerate(cases)
        if not _met(case, found[number])
        and "time_assumed" not in found[number]["flags"]
    ]
    assert wrong == []


def _golden(case: Mapping[str, Any]) -> Told:
    attributes = {
        "gen_ai.operation.name": "chat",
        CALL["response_model"]: case["model"],
    }
    for name in (
        "provider",
        "service_tier",
        "batch",
        "speed",
        "geo",
        "region",
        "deployment",
    ):
        if case[name]:
            attributes[CALL[name]] = case[name]
    for name, count in case["usage"].items():
        total = {"input_tokens": "input_total", "output_tokens": "output_total"}.get(
            name
        )
        attributes[COUNTS[total or name.removesuffix("_tokens")]] = count
    at = datetime.fromisoformat(case["timestamp"])
    return Told(attributes, end_s=int(at.timestamp()))


def _met(case: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    want = case["expected_usd"]
    if row["cost_state"] != case["expected_status"]:
        return False
    return want is None or abs(row["cost_usd"] - Decimal(want)) <= TOLERANCE_USD
