"""The packaged catalogue: compiled, complete, consistent, light to load."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from genai_prices import Usage
from genai_prices.data import providers

from farthing.collector.pricebook import REFRESH, catalogue_texts, load_overlay
from farthing.economics.prices import (
    OPEN_END,
    RATE_NAMES,
    Call,
    Ctx,
    RateKey,
    State,
    load_catalogue,
    price,
)
from farthing.economics.prices.catalogue import DATA_DIR, catalogue_of_texts
from farthing.economics.prices.packaged import (
    MODELS_FILE,
    RATES_FILE,
    RULES_FILE,
    write_models,
    write_rates,
    write_rules,
)
from farthing.economics.prices.rates import MAX_LEVELS, Multiplier, Origin
from farthing.economics.prices.resolver import normalise, resolve
from farthing.economics.usage import from_reported

BASE = {provider.id: provider for provider in providers}


@pytest.fixture(scope="module")
def fresh() -> dict[str, str]:
    return catalogue_texts()


@pytest.mark.parametrize("name", [RATES_FILE, MODELS_FILE, RULES_FILE])
def test_the_packaged_files_are_a_fresh_compile(
    fresh: dict[str, str], name: str
) -> None:
    """What is checked in is what genai-prices and the overlay compile to."""
    checked_in = (DATA_DIR / name).read_text()
    assert checked_in == fresh[name], f"{name} is stale; refresh it: {REFRESH}"


def test_the_files_survive_a_round_trip() -> None:
    """Writing what was read gives the same bytes."""
    held = load_catalogue()
    assert write_rates(held) == (DATA_DIR / RATES_FILE).read_text()
    assert write_models(held.models.values()) == (DATA_DIR / MODELS_FILE).read_text()
    assert write_rules(held.rules) == (DATA_DIR / RULES_FILE).read_text()


def test_rows_of_a_key_never_overlap() -> None:
    """At every instant at most one row of a key is in force."""
    held = load_catalogue()
    for key in held.rate_keys():
        for earlier, later in pairwise(held.rows(key)):
            assert earlier.valid_to <= later.valid_from, key


def test_standard_prices_have_no_gap_but_the_known_ones() -> None:
    """Between its first and last row a model's standard price is always known."""
    held = load_catalogue()
    for key in held.rate_keys():
        if key.ctx != Ctx.STANDARD or key.slot:
            continue
        for earlier, later in pairwise(held.rows(key)):
            assert earlier.valid_to == later.valid_from, key


def test_rows_are_well_formed() -> None:
    """Nine rates a level, growing thresholds, rates not negative, ids unique."""
    rows = list(load_catalogue())
    for row in rows:
        assert len(row.levels) == len(row.thresholds) + 1 <= MAX_LEVELS
        assert list(row.thresholds) == sorted(set(row.thresholds))
        assert all(len(level) == len(RATE_NAMES) for level in row.levels)
        assert all(rate is None or rate >= 0 for lv in row.levels for rate in lv)
        assert 0 <= row.valid_from < row.valid_to <= OPEN_END
        assert row.currency == "USD"
    ids = {row.row_id for row in rows}
    assert len(ids) == len(rows)
    assert 0 not in ids


def test_a_row_keeps_its_id_when_a_successor_closes_it() -> None:
    """The id comes from the content, without the end of validity."""
    row = load_catalogue().rows(RateKey("openai", "gpt-5", 0, 0))[0]
    assert row.between(row.valid_from, OPEN_END - 5).row_id == row.row_id
    assert row.between(1, row.valid_to).row_id != row.row_id


def test_overlay_rows_name_a_source_and_a_day() -> None:
    """A correction without its source and the day it was read is refused."""
    for row in load_catalogue():
        if row.origin is Origin.OVERLAY:
            assert row.source
            assert row.checked_on


def test_no_variant_row_holds_where_no_variant_is_active() -> None:
    """Batch and tiers have rows only from a variant, an overlay or a launch on."""
    overlay = load_overlay()
    first = {(r.provider, r.model, r.ctx): r.valid_from for r in overlay.rows}
    undated = {
        (provider.id, model.id.lower())
        for provider in providers
        for model in provider.models
        for variant in model.price_variants or ()
        if variant.constraint is None
    }
    for row in load_catalogue():
        if row.ctx == Ctx.STANDARD or (row.provider, row.model) in undated:
            continue
        starts = (
            overlay.launches.get((row.provider, row.ctx), row.valid_from or None),
            first.get((row.provider, row.model, row.ctx)),
        )
        assert row.valid_from >= min(s for s in starts if s is not None), row


def test_ids_are_in_normal_form() -> None:
    """Looking up a listed id finds it: normalising it again changes nothing."""
    held = load_catalogue()
    for provider, name in held.models:
        assert normalise(held.rules, provider, name) == name
        assert name == name.lower()
        assert " " not in name


def test_the_base_s_own_ids_mean_the_same_model_here() -> None:
    """Every id that the base lists exactly resolves to the base's model."""
    held = load_catalogue()
    own = {(m.provider, n) for m in load_overlay().models for n in m.ids}
    for provider in providers:
        for model in provider.models:
            for name in _equals(model.match):
                if ":free" in name or (provider.id, name.lower()) in own:
                    continue
                first = provider.find_model(name)
                found = held.resolve(provider.id, "", name)
                assert first is not None
                assert found.model == first.id.lower().rstrip("-"), (provider.id, name)


def _equals(clause: object) -> list[str]:
    found = []
    for kind, value in vars(clause).items():
        if kind == "equals":
            found.append(value)
        elif kind in ("or_", "and_"):
            found.extend(name for inner in value for name in _equals(inner))
    return found


def test_random_calls_cost_what_the_base_says() -> None:
    """Outside the known defects the price book equals genai-prices to 1e-10 USD."""
    held = load_catalogue()
    overlay = load_overlay()
    touched = {(row.provider, row.model) for row in overlay.rows}
    touched |= {(own.provider, own.model) for own in overlay.models if own.copy_of}
    rng = random.Random(20261122)
    names = [m for m in held.models.values() if _comparable(m.provider, m.model)]
    compared = 0
    for _ in range(3_000):
        name = rng.choice(names)
        base = BASE[name.provider].find_model(name.id)
        if (name.provider, name.model) in touched or base is None:
            continue
        at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=rng.randrange(26_000))
        counts = _counts(rng)
        expected = base.calc_price(
            Usage(**counts), BASE[name.provider], genai_request_timestamp=at
        ).total_price
        call = Call(
            provider=name.provider,
            response_model=name.id,
            at=at,
            buckets=from_reported(
                counts["input_tokens"],
                counts["output_tokens"],
                cache_read=counts["cache_read_tokens"],
                cache_write_5m=counts["cache_write_tokens"],
                reasoning=counts["output_reasoning_tokens"],
                includes_cache=True,
            ).buckets,
        )
        cost = price(call, held)
        if cost.state is State.PRICED:
            compared += 1
            assert cost.usd is not None
            assert abs(cost.usd - expected) <= Decimal("1e-10"), (name, at, counts)
    assert compared > 1_500


def _comparable(provider: str, model: str) -> bool:
    """Azure sells what the overlay corrects; snapshots of gpt-4o are the overlay's."""
    return provider in BASE and provider != "azure" and "gpt-4o-2024" not in model


def _counts(rng: random.Random) -> dict[str, int]:
    total = rng.choice([10, 5_000, 150_000, 250_000, 300_000])
    output = rng.randrange(5_000)
    return {
        "input_tokens": total,
        "cache_read_tokens": rng.randrange(total // 2 + 1),
        "cache_write_tokens": rng.randrange(total // 3 + 1),
        "output_tokens": output,
        "output_reasoning_tokens": rng.randrange(output + 1),
    }


def test_loading_needs_the_standard_library_only() -> None:
    """An agent that prices a call imports neither the base nor YAML nor pydantic."""
    code = (
        "import json, sys; from farthing.economics.prices import load_catalogue;"
        "load_catalogue(); print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    heavy = {"genai_prices", "pydantic", "yaml", "farthing.collector"}
    assert not heavy & set(json.loads(done.stdout))


def test_the_hash_names_the_content() -> None:
    """Equal texts have one hash; one changed digit gives another."""
    texts = [(DATA_DIR / n).read_text() for n in (RATES_FILE, MODELS_FILE, RULES_FILE)]
    same = catalogue_of_texts(*texts)
    assert same.sha256 == load_catalogue().sha256
    other = catalogue_of_texts(texts[0].replace("0.25", "0.26", 1), *texts[1:])
    assert other.sha256 != same.sha256


def test_patterns_stay_within_what_re2_knows() -> None:
    """No look-around, no back-reference, no Unicode class: SQL uses the same text."""
    rules = load_catalogue().rules
    patterns = [rules.suffix, rules.own_hosts]
    patterns += [row.pattern for row in rules.normalisations]
    patterns += [row.pattern for row in rules.regions]
    patterns += [row.pattern for row in rules.unmapped]
    patterns += [text for row in rules.multipliers for text in (row.place, row.model)]
    for pattern in patterns:
        for foreign in ("(?=", "(?!", "(?<", "\\d", "\\w", "\\s", "\\b", "\\1"):
            assert foreign not in pattern, pattern


@pytest.mark.parametrize(
    ("provider", "ref", "model", "match"),
    [
        ("az.ai.openai", "gpt-35-turbo-0125", "gpt-3.5-turbo", "alias"),
        ("azure", "gpt-4o-2024-08-06.ft-0123abcd", "gpt-4o-2024-08-06", "exact"),
        ("vertex_ai", "publishers/google/models/gemma-3", "gemma-3", "exact"),
        ("gcp.gemini", "models/gemini-2.0-flash-001", "gemini-2.0-flash", "dated"),
        ("vertex_ai", "claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet", "dated"),
        ("x_ai", "grok-4.3-20260901", "grok-4.3", "dated"),
        ("openai", "gpt-5.2-20251211", "gpt-5.2", "alias"),
        ("openai", " GPT-5 ", "gpt-5", "exact"),
        ("anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5", "dated"),
        ("bedrock", "bedrock/converse/openai.gpt-5.4", "openai.gpt-5.4", "exact"),
        ("bedrock", "claude-sonnet-4-5-20250929-v1:0",
         "regional.anthropic.claude-sonnet-4-5-20250929-v1:0", "alias"),
        ("bedrock", "claude-opus-4-6-v1",
         "regional.anthropic.claude-opus-4-6-v1:0", "alias"),
        ("mistral_ai", "mistral-large-2411", "mistral-large", "alias"),
        ("cohere", "command-r-08-2024", "command-r", "alias"),
        ("moonshot_ai", "kimi-k3", "kimi-k3", "exact"),
    ],
)  # fmt: skip
def test_references_resolve_strictly(
    provider: str, ref: str, model: str, match: str
) -> None:
    """The names that emitters use find their model, and say how."""
    found = load_catalogue().resolve(provider, "", ref)
    assert (found.model, found.match) == (model, match)


@pytest.mark.parametrize(
    ("provider", "ref"),
    [
        ("mistral", "mistral-large-2607"),
        ("openai", "gpt-4-1106"),
        ("openai", "gpt-3.5-turbo-2027-01-01"),
        ("google", "gemini-2.5-pro-exp"),
        ("openai", "gpt-5-latest-2"),
        ("anthropic", "claude-opus-4-1-mini"),
        ("openai", "ft:gpt-4o-2024-11-20:acme::a"),
        ("openai", "gpt-4o-audio-preview-2024-10-01"),
    ],
)
def test_nothing_is_matched_by_likeness(provider: str, ref: str) -> None:
    """A snapshot of an alias that moves, a version, a variant are unknown models."""
    assert load_catalogue().resolve(provider, "", ref).model == ""


@pytest.mark.parametrize(
    ("provider", "host", "ours"),
    [
        ("openai", "https://my-res.openai.azure.com/openai", "azure"),
        ("openai", "eu.api.openai.com", "openai"),
        ("openai", "api.groq.com:443", "groq"),
        ("openai", "OPENROUTER.AI", "openrouter"),
        ("", "api.deepseek.com.", "deepseek"),
        ("anthropic", "gateway.internal", "anthropic"),
        ("anthropic", "", "anthropic"),
        ("anthropic", "api.anthropic.com", "anthropic"),
        ("anthropic", "llm-1.us-east-1.elb.amazonaws.com", "anthropic"),
        ("anthropic", "ours.azure-api.net", "anthropic"),
        ("anthropic", "openrouter.ai", "anthropic"),
        ("anthropic", "bedrock-runtime.us-east-1.amazonaws.com", "aws"),
        ("anthropic", "bedrock-runtime-fips.us-east-1.amazonaws.com:443", "aws"),
        ("anthropic", "a.bedrock-runtime.eu-west-1.vpce.amazonaws.com", "aws"),
        ("anthropic", "https://bedrock-mantle.us-east-1.api.aws/v1", "aws"),
        ("anthropic", "us-east5-aiplatform.googleapis.com", "google"),
        ("anthropic", "aiplatform.googleapis.com", "google"),
        ("anthropic", "aiplatform.eu.rep.googleapis.com", "google"),
        ("anthropic", "https://api.deepseek.com/anthropic", "deepseek"),
        ("anthropic", "api.z.ai", "zai"),
        ("mistral", "bedrock-runtime.us-east-1.amazonaws.com", "mistral"),
    ],
)
def test_the_host_tells_whose_protocol_it_is(
    provider: str, host: str, ours: str
) -> None:
    """A host decides for OpenAI's protocol and for unnamed providers; for Anthropic's,
    only one that is known to serve it: a gateway within a cloud tells nothing."""
    assert load_catalogue().resolve(provider, host, "x").provider == ours


def test_the_first_matching_multiplier_is_the_one_that_counts() -> None:
    """Multipliers are ordered: types without a price, then the dearer Asian zone."""
    azure = [m for m in load_catalogue().rules.multipliers if m.provider == "azure"]
    assert [_factor(m) for m in azure] == ["0/1", "12/10", "11/10", "1/1", "1/1"]


def _factor(row: Multiplier) -> str:
    return f"{row.numerator}/{row.denominator}"


def test_misses_and_hits_are_remembered_alike() -> None:
    """Resolving is a pure function of its words: asking again answers the same."""
    held = load_catalogue()
    asked = ("openai", "", "gpt-5-unknown")
    assert held.resolve(*asked) == held.resolve(*asked)
    assert held.resolve(*asked) == resolve(
        held.rules, held.models, provider="openai", host="", ref="gpt-5-unknown"
    )
