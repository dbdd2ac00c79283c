"""The cost of a call: states, rules and sums."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.economics.prices import (
    MAX_TOKENS,
    Call,
    Cost,
    Flag,
    Reason,
    State,
    load_catalogue,
    price,
)
from farthing.economics.prices.golden import check
from farthing.economics.usage import MAX_BUCKET, TokenBuckets

GOLDEN = Path(__file__).parent / "golden_prices.jsonl"
MORE = GOLDEN.with_name("golden_more.jsonl")
CALLS = [
    line
    for line in (GOLDEN.parent / "priced_calls.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
NOV_2026 = "2026-11-20T12:00:00Z"
TEN_THOUSAND = TokenBuckets(input=10_000, output=1_000)


def cost_of(
    provider: str,
    model: str,
    at: str = NOV_2026,
    buckets: TokenBuckets | None = TEN_THOUSAND,
    **told: Any,
) -> Cost:
    moment = datetime.fromisoformat(at.removesuffix("Z")).replace(tzinfo=UTC)
    call = Call(
        provider=provider, response_model=model, at=moment, buckets=buckets, **told
    )
    return price(call, load_catalogue())


def test_every_published_price_comes_out() -> None:
    """The price book gets every case of the golden file right."""
    found = check(GOLDEN, load_catalogue())
    assert (found.right, found.wrong) == (88, ())


def test_more_published_prices_come_out() -> None:
    """Nor does it err on calls of the same kinds that it was not made with: every kind
    of pitfall at other models, days, hours, tiers, places and thresholds."""
    found = check(MORE, load_catalogue())
    assert (found.right, found.wrong) == (found.of, ())
    assert found.of > 240


@pytest.mark.parametrize("file", [GOLDEN, MORE], ids=["golden", "more"])
def test_the_published_cases_are_worked_out(file: Path) -> None:
    """Each expected cost is what its arithmetic, from published prices, comes to."""
    for case in map(json.loads, file.read_text().splitlines()):
        if case["expected_usd"] is None:
            assert case["arithmetic"] is None, case["id"]
        else:
            worked_out = evaluate(case["arithmetic"])
            assert worked_out == Decimal(case["expected_usd"]), case["id"]


def evaluate(arithmetic: str) -> Decimal:
    """Sums, products and quotients of decimals, brackets too."""
    exact = re.sub(r"[0-9.]+(?:e[0-9]+)?", r'Decimal("\g<0>")', arithmetic)
    return Decimal(eval(exact, {"__builtins__": {}, "Decimal": Decimal}))


@pytest.mark.parametrize("line", CALLS)
def test_prices_follow_their_dates_places_and_tiers(line: str) -> None:
    """Each call of priced_calls.txt costs, or has no price for, what it says."""
    provider, model, when, expected, *told = line.split()
    at = NOV_2026 if when == "now" else when
    cost = cost_of(provider, model.strip("-"), at, **_told(told))
    if expected in set(Reason):
        assert (cost.state, cost.usd) == (State.UNPRICED, None)
        assert cost.reason == expected
    else:
        assert (cost.state, cost.usd) == (State.PRICED, Decimal(expected))


def _told(words: list[str]) -> dict[str, Any]:
    told: dict[str, Any] = dict(word.split("=") for word in words)
    if "batch" in told:
        told["batch"] = told["batch"] == "yes"
    return told


def test_a_call_without_usage_has_no_cost() -> None:
    """Missing usage is no_usage, not zero."""
    cost = cost_of("openai", "gpt-5", buckets=None)
    assert (cost.state, cost.usd) == (State.NO_USAGE, None)


def test_zero_tokens_of_a_known_model_cost_nothing() -> None:
    """A known model that used nothing is priced at 0."""
    cost = cost_of("openai", "gpt-5", buckets=TokenBuckets())
    assert (cost.state, cost.usd) == (State.PRICED, Decimal(0))


def test_free_is_an_explicit_rule() -> None:
    """OpenRouter's :free variants cost nothing, by rule."""
    cost = cost_of("openrouter", "meta-llama/llama-3.3-70b-instruct:free")
    assert (cost.state, cost.usd) == (State.FREE, Decimal(0))


def test_an_exact_threshold_is_not_passed() -> None:
    """A tier begins above its threshold, and xAI's inclusive one at it."""
    at_limit = cost_of("openai", "gpt-5.5", buckets=TokenBuckets(input=272_000))
    over = cost_of("openai", "gpt-5.5", buckets=TokenBuckets(input=272_001))
    assert (at_limit.usd, over.usd) == (Decimal("1.36"), Decimal("2.72001"))
    inclusive = cost_of("x-ai", "grok-4.3", buckets=TokenBuckets(input=200_000))
    assert inclusive.usd == Decimal("0.5")


def test_cached_tokens_count_towards_a_tier() -> None:
    """The total input decides, and every bucket moves to the dearer level."""
    buckets = TokenBuckets(input=5_000, cache_read=268_000, output=1_000)
    cost = cost_of("openai", "gpt-5.4", buckets=buckets)
    assert cost.usd == Decimal("0.025") + Decimal("0.134") + Decimal("0.0225")


def test_an_unknown_lifetime_is_priced_as_the_short_one_and_flagged() -> None:
    """Writes whose lifetime nobody tells cost the 5 m rate."""
    buckets = TokenBuckets(cache_write_unknown=10_000)
    cost = cost_of("anthropic", "claude-sonnet-5", buckets=buckets)
    assert (cost.usd, cost.flags) == (Decimal("0.025"), (Flag.TTL_ASSUMED,))


def test_openai_writes_cost_plain_input_before_they_were_surcharged() -> None:
    """Before GPT-5.6 a cache write is plain input; long writes cost 2.5 times since."""
    writes = TokenBuckets(cache_write_5m=10_000)
    assert cost_of("openai", "gpt-5", buckets=writes).usd == Decimal("0.0125")
    assert cost_of("openai", "gpt-6-sol", buckets=writes).usd == Decimal("0.025")
    long = TokenBuckets(cache_write_1h=10_000)
    assert cost_of("openai", "gpt-6-sol", buckets=long).usd == Decimal("0.05")


def test_audio_without_a_rate_makes_a_partial_cost() -> None:
    """What has no rate is left out, named, and the rest is a lower bound."""
    buckets = TokenBuckets(input=1_000, input_audio=2_000)
    cost = cost_of("openai", "gpt-4o-mini-audio-preview", buckets=buckets)
    assert (cost.state, cost.usd) == (State.PARTIAL, Decimal("0.00015"))
    assert (cost.reason, cost.missing) == (Reason.NO_RATE_FOR_BUCKET, ("input_audio",))


def test_a_call_of_nothing_but_unknown_buckets_is_unpriced() -> None:
    """A partial cost needs a known part."""
    cost = cost_of("openai", "gpt-5", buckets=TokenBuckets(input_audio=5))
    assert (cost.state, cost.usd) == (State.UNPRICED, None)


@pytest.mark.parametrize("count", [-1, MAX_BUCKET + 1])
def test_absurd_usage_is_invalid(count: int) -> None:
    """Negative or absurd counts have no cost."""
    cost = cost_of("openai", "gpt-5", buckets=TokenBuckets(input=count))
    assert (cost.state, cost.reason) == (State.UNPRICED, Reason.INVALID_USAGE)


def test_tool_fees_are_their_own_component() -> None:
    """Searches are billed per use, beside the tokens; a model's own fee wins."""
    cost = cost_of("anthropic", "claude-sonnet-5", tool_uses={"web_search": 3})
    assert cost.components_usd["tool:web_search"] == Decimal("0.03")
    assert cost.usd == Decimal("0.06")
    google = cost_of("google", "gemini-2.5-flash", tool_uses={"web_search": 1})
    assert google.components_usd["tool:web_search"] == Decimal("0.035")


def test_a_tool_without_a_fee_makes_a_partial_cost() -> None:
    """A billed tool whose fee is not known is named, not dropped."""
    cost = cost_of("groq", "llama-3.1-8b-instant", tool_uses={"web_search": 1})
    assert (cost.state, cost.missing) == (State.PARTIAL, ("tool:web_search",))


def test_a_fee_per_request_is_charged_once() -> None:
    """Models that charge per request do so without being told of it: the least that
    it can be, which is said."""
    cost = cost_of("perplexity", "sonar")
    assert cost.components_usd["tool:request"] == Decimal("0.005")
    assert "unconfirmed" in cost.flags


def test_the_provider_s_own_figure_wins_when_it_is_positive() -> None:
    """OpenRouter's reported cost wins over the list; 0 does not."""
    model = "anthropic/claude-sonnet-4.5"
    claimed = cost_of("openrouter", model, claimed_usd=Decimal("0.04"))
    assert claimed.usd == Decimal("0.04")
    assert claimed.list_femto_usd == 45 * 10**12
    assert claimed.flags == (Flag.PROVIDER_REPORTED,)
    assert cost_of("openrouter", model, claimed_usd=Decimal(0)).usd == Decimal("0.045")


def test_a_client_s_claim_never_wins() -> None:
    """A cost that some client computed is not the provider's."""
    assert cost_of("openai", "gpt-5", claimed_usd=Decimal(9)).usd == Decimal("0.0225")


def test_the_response_s_model_wins_and_a_difference_is_flagged() -> None:
    """The served model is priced; another requested one is told."""
    cost = cost_of("openai", "gpt-5-mini", request_model="gpt-5")
    assert (cost.model, cost.flags) == ("gpt-5-mini", (Flag.MODELS_DIFFER,))
    alias = cost_of("openai", "gpt-5-2025-08-07", request_model="gpt-5")
    assert alias.flags == ()
    asked = cost_of("openai", "", request_model="gpt-5")
    assert asked.usd == Decimal("0.0225")


@pytest.mark.parametrize(("place", "usd"), [("global", "0.045"), ("eu", "0.0495")])
@pytest.mark.parametrize(
    "answered",
    ["claude-sonnet-4-5-20250929", "anthropic.claude-sonnet-4-5-20250929-v1:0"],
)
def test_bedrock_s_place_is_that_of_the_profile_that_was_asked(
    answered: str, place: str, usd: str
) -> None:
    """The answer names the model without its place: the worldwide profile costs a
    tenth less than a place's."""
    asked = f"{place}.anthropic.claude-sonnet-4-5-20250929-v1:0"
    for provider in ("aws", "anthropic"):  # Anthropic's client says the latter.
        assert cost_of(provider, answered, request_model=asked).usd == Decimal(usd)


@pytest.mark.parametrize(
    ("host", "asked", "usd"),
    [
        ("bedrock-runtime.us-east-1.amazonaws.com", "us.anthropic.{}-v1:0", "4.95"),
        ("bedrock-runtime.us-east-1.amazonaws.com", "global.anthropic.{}-v1:0", "4.5"),
        ("us-east5-aiplatform.googleapis.com", "{}", "9.075"),
        ("llm-1.us-east-1.elb.amazonaws.com", "{}", "8.25"),
        ("", "{}", "8.25"),
    ],
)
def test_a_cloud_s_host_prices_what_anthropic_s_client_tells(
    host: str, asked: str, usd: str
) -> None:
    """The client says `anthropic` wherever it asks: Bedrock has no price of long
    prompts, a region of Vertex AI's is a tenth dearer, a gateway is Anthropic's."""
    model = "claude-sonnet-4-5-20250929"
    cost = cost_of(
        "anthropic",
        model,
        request_model=asked.format(model),
        host=host,
        buckets=TokenBuckets(input=1_000_000, output=100_000),
    )
    assert (cost.state, cost.usd) == (State.PRICED, Decimal(usd))


def test_doubtful_rows_say_so() -> None:
    """Back-dated, derived and unconfirmed prices carry a flag."""
    assert (
        Flag.UNCONFIRMED
        in cost_of("openai", "gpt-5.6-sol", "2026-12-01T00:00:00Z").flags
    )
    old = cost_of("openai", "gpt-5", "2026-01-10T00:00:00Z", service_tier="flex")
    assert old.flags == (Flag.BACK_DATED,)
    assert Flag.TIER_ASSUMED in cost_of("openai", "gpt-5", service_tier="auto").flags
    assert Flag.DEPLOYMENT_ASSUMED in cost_of("azure", "gpt-5").flags


def test_a_cost_names_its_grounds() -> None:
    """Row, catalogue and match are on every priced cost."""
    cost = cost_of("openai", "gpt-5.1-2026-01-01")
    assert cost.match == "dated"
    assert cost.row_id > 0
    assert cost.catalogue_sha256 == load_catalogue().sha256


MODELS = st.sampled_from(
    [
        ("openai", "gpt-5.5", 272_000),
        ("anthropic", "claude-haiku-5-5", 100_000),
        ("google", "gemini-2.5-pro", 200_000),
        ("aws", "us.anthropic.claude-sonnet-4-6", MAX_TOKENS),
        ("azure", "gpt-5", MAX_TOKENS),
    ]
)
PLACES = st.sampled_from([{}, {"geo": "us"}, {"deployment": "data_zone"}])


@given(
    MODELS,
    PLACES,
    st.lists(
        st.builds(
            TokenBuckets,
            input=st.integers(0, 9_000),
            cache_read=st.integers(0, 9_000),
            output=st.integers(0, 9_000),
            reasoning=st.integers(0, 900),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_costs_add_up_over_any_split_below_a_tier(
    model: tuple[str, str, int], place: dict[str, str], calls: list[TokenBuckets]
) -> None:
    """Many small calls cost exactly what their sum in one call costs."""
    provider, name, _ = model
    total = TokenBuckets(
        input=sum(c.input for c in calls),
        cache_read=sum(c.cache_read for c in calls),
        output=sum(c.output for c in calls),
        reasoning=sum(c.reasoning for c in calls),
    )
    parts = [cost_of(provider, name, buckets=c, **place).femto_usd for c in calls]
    whole = cost_of(provider, name, buckets=total, **place).femto_usd
    assert whole == sum(part for part in parts if part is not None)


@given(MODELS, st.integers(1, 400_000), st.integers(0, 5_000))
def test_a_tier_never_splits_a_call(
    model: tuple[str, str, int], input_tokens: int, output_tokens: int
) -> None:
    """Every input token of a call costs the same, whichever level applies."""
    provider, name, bound = model
    buckets = TokenBuckets(input=input_tokens, output=output_tokens)
    cost = cost_of(provider, name, buckets=buckets)
    sample = TokenBuckets(input=1)
    if input_tokens > bound:
        sample = TokenBuckets(input=bound + 1)
    one = cost_of(provider, name, buckets=sample)
    assert one.femto_usd is not None
    rate = one.femto_usd // sample.input
    assert cost.parts[0].femto_usd == rate * input_tokens


@given(
    st.text(max_size=40),
    st.text(max_size=40),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_price_never_raises(provider: str, model: str, tier: str, host: str) -> None:
    """Whatever a span says, the answer is a cost."""
    cost = cost_of(provider, model, service_tier=tier, host=host)
    assert cost.state in State
