"""An operator's price file: what it may say, and how it is told what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from farthing.collector.pricebook import load_user_prices
from farthing.economics.prices import (
    Call,
    Catalogue,
    Cost,
    Flag,
    Reason,
    State,
    load_catalogue,
    price,
)
from farthing.economics.prices.userjson import load_user_json
from farthing.economics.usage import TokenBuckets
from farthing.errors import ConfigError

GOOD = """
prices:
  - provider: openai
    model: gpt-5
    from: 2026-10-01
    usd_per_mtok: {input: 0.1, cache_read: 0.01, output: 0.3}
    source: contract 4711
  - provider: vllm
    model: acme-7b
    from: 2026-01-01
    usd_per_mtok: {input: 0.02, output: 0.04}
discounts:
  - {provider: anthropic, percent: 12.5, from: 2026-11-01}
  - {provider: openai, model: gpt-5-mini, percent: 50, from: 2026-01-01}
  - {provider: openai, model: gpt-5, percent: 90, from: 2026-01-01}
free:
  - {provider: ollama}
  - {provider: openai, model: gpt-oss-20b}
flat_rate:
  - {provider: anthropic, model: claude-opus-5, from: 2026-06-01}
models:
  - {provider: azure, name: My-Prod, is: gpt-5-2025-08-07}
  - provider: aws
    name: "arn:aws:bedrock:us-east-1:1:application-inference-profile/ab12"
    is: us.anthropic.claude-sonnet-4-6
  - {provider: vllm, name: our-llama, is: acme-7b}
  - {provider: gateway, name: fast, is: gpt-5-mini, of: openai}
hosts:
  - {host: llm.example.com, provider: openai}
  - {host: localhost, provider: vllm}
"""


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    path = tmp_path / "prices.yaml"
    path.write_text(GOOD)
    return load_user_prices(path, load_catalogue())


def cost_of(
    catalogue: Catalogue,
    provider: str,
    model: str,
    at: str = "2026-11-20T12:00:00Z",
    host: str = "",
) -> Cost:
    call = Call(
        provider=provider,
        response_model=model,
        host=host,
        at=datetime.fromisoformat(at),
        buckets=TokenBuckets(input=10_000, output=1_000),
    )
    return price(call, catalogue)


def test_a_negotiated_price_wins_in_its_period_only(catalogue: Catalogue) -> None:
    """The user's price wins from its first day on, over a discount of theirs too."""
    assert cost_of(catalogue, "openai", "gpt-5").usd == Decimal("0.0013")
    before = cost_of(catalogue, "openai", "gpt-5", "2026-09-30T23:59:59Z")
    assert before.usd == Decimal("0.00225")


def test_a_decimal_price_never_passes_through_a_float(catalogue: Catalogue) -> None:
    """0.1 USD per million tokens is exactly 100,000,000 femto-USD per token."""
    cost = cost_of(catalogue, "openai", "gpt-5")
    assert cost.parts[0].femto_usd == 10_000 * 100_000_000


OF_TWO = """
discounts:
  - {provider: openai, model: gpt-5-mini, percent: 50, from: 2026-01-01}
  - {provider: openai, percent: 10, from: 2026-01-01}
"""


def test_the_discount_of_a_model_wins_over_its_provider_s(tmp_path: Path) -> None:
    """Also where that stands behind it in the file."""
    (tmp_path / "prices.yaml").write_text(OF_TWO)
    catalogue = load_user_prices(tmp_path / "prices.yaml", load_catalogue())
    assert cost_of(catalogue, "openai", "gpt-5-mini").usd == Decimal("0.00225")
    assert cost_of(catalogue, "openai", "gpt-5").usd == Decimal("0.02025")


def test_a_discount_comes_off_every_row_of_its_period(catalogue: Catalogue) -> None:
    """A percentage applies to the whole provider or to one model."""
    assert cost_of(catalogue, "anthropic", "claude-sonnet-5").usd == Decimal("0.02625")
    old = cost_of(catalogue, "anthropic", "claude-sonnet-5", "2026-10-31T23:00:00Z")
    assert old.usd == Decimal("0.03")
    assert cost_of(catalogue, "openai", "gpt-5-mini").usd == Decimal("0.00225")


def test_local_models_are_free_by_the_user_s_word(catalogue: Catalogue) -> None:
    """A provider named under `free` costs nothing, whatever its model is called."""
    cost = cost_of(catalogue, "ollama", "llama3.1:8b")
    assert (cost.state, cost.usd, cost.match) == (State.FREE, Decimal(0), "user")
    assert cost_of(catalogue, "openai", "gpt-oss-20b").state is State.FREE


def test_a_subscription_costs_nothing_but_keeps_its_list_price(
    catalogue: Catalogue,
) -> None:
    """A covered call is flat_rate at 0, with the list price beside it."""
    cost = cost_of(catalogue, "anthropic", "claude-opus-5")
    assert (cost.state, cost.usd) == (State.FLAT_RATE, Decimal(0))
    assert cost.list_femto_usd is not None
    assert cost.list_femto_usd > 0


def test_deployments_and_profiles_are_mapped(catalogue: Catalogue) -> None:
    """A name of the user's own is priced as the model that it is."""
    azure = cost_of(catalogue, "azure", "my-prod")
    assert (azure.usd, azure.match) == (Decimal("0.0225"), "user")
    arn = "arn:aws:bedrock:us-east-1:1:application-inference-profile/ab12"
    assert cost_of(catalogue, "aws", arn).usd == Decimal("0.0495")
    assert cost_of(catalogue, "gateway", "fast").usd == Decimal("0.0045")


def test_hosts_name_their_provider(catalogue: Catalogue) -> None:
    """A server that speaks OpenAI's protocol is whose the user says it is."""
    proxied = cost_of(catalogue, "openai", "gpt-5", host="llm.example.com:8443")
    assert proxied.usd == Decimal("0.0013")
    local = cost_of(catalogue, "openai", "our-llama", host="http://localhost:8000/v1")
    assert local.usd == Decimal("0.00024")


def test_the_packaged_catalogue_is_left_alone(catalogue: Catalogue) -> None:
    """A user's file makes a further catalogue with its own hash."""
    assert catalogue.sha256 != load_catalogue().sha256
    cost = cost_of(load_catalogue(), "ollama", "llama3.1:8b")
    assert cost.reason is Reason.UNKNOWN_PROVIDER


def test_rows_stay_without_overlap(catalogue: Catalogue) -> None:
    """Laying a user's rows over the others leaves one row at each instant."""
    at_s = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp())
    for key in catalogue.rate_keys():
        rows = [r for r in catalogue.rows(key) if r.valid_from <= at_s < r.valid_to]
        assert len(rows) <= 1


BAD = """
pricse: []
prices:
  - {provider: openai, model: gpt-5, usd_per_mtok: {input: -1, output: 2}}
  - {provider: openai, model: gpt-5-mini, usd_per_mtok: {inptu: 1}}
  - {provider: openai, model: o3, usd_per_mtok: {input: cheap}}
  - {provider: openai, model: o1, from: yesterday, usd_per_mtok: {input: 1}}
  - {provider: openai, model: gpt-6-sol, to: 2026-05-01, usd_per_mtok: {input: 1}}
  - {provider: openai, model: gpt-6-sol, from: 2026-04-01, usd_per_mtok: {input: 2}}
  - {provider: openai, model: o4-mini, colour: red, usd_per_mtok: {input: 1}}
  - {model: x, usd_per_mtok: {input: 1}}
  - {provider: openai, model: o3-pro}
  - {provider: openai, model: o1-pro, usd_per_mtok: {input: 1}}
discounts:
  - {provider: openai, percent: 120}
  - {provider: nobody, percent: 10}
models:
  - {provider: azure, name: a, is: gpt-99}
hosts:
  - {host: "http://x/", provider: openai}
"""


def test_every_problem_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    """The operator gets the whole list: file, line, entry, what, and what to do."""
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    with pytest.raises(ConfigError) as caught:
        load_user_prices(path, load_catalogue())
    told = str(caught.value)
    for expected in (
        "pricse: unknown section",
        "bad.yaml:4: prices entry 1: usd_per_mtok.input must not be negative",
        "usd_per_mtok.inptu is not a rate; the rates are input",
        "usd_per_mtok.input must be a number such as 2.50, not 'cheap'",
        "'from' must be a date such as 2026-01-31",
        "openai/gpt-6-sol: two entries cover the same time",
        "unknown key 'colour'",
        "bad.yaml:11: prices entry 8: 'provider' is missing",
        "'usd_per_mtok' is missing",
        "bad.yaml:13: prices entry 10: 'from' is missing; give the first day",
        "'percent' is what comes off, 100 at most",
        "no prices of nobody/* to take a discount from",
        "not in the price book: azure/gpt-99",
        "'host' is a name without scheme, port and path",
    ):
        assert expected in told, told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("prices: [", "is not valid YAML"),
        ("- a", "must be a mapping"),
        ("free:\n  - {provider: a, provider: b}", "is given twice"),
        ("prices: {a: 1}", "must be a list"),
    ],
)
def test_what_is_no_price_file_is_refused(tmp_path: Path, text: str, told: str) -> None:
    """Broken YAML and wrong shapes are configuration errors with the file's name."""
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=told) as caught:
        load_user_prices(path, load_catalogue())
    assert "p.yaml" in str(caught.value)


def test_a_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    """A price file that is named but absent stops the start."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load_user_prices(tmp_path / "none.yaml", load_catalogue())


def test_agents_read_the_same_file_as_json(tmp_path: Path) -> None:
    """JSON needs no YAML, and its numbers stay exact too."""
    path = tmp_path / "prices.json"
    path.write_text(
        '{"prices": [{"provider": "openai", "model": "gpt-5", "from": "2026-01-01",'
        ' "unconfirmed": false,'
        ' "usd_per_mtok": {"input": 0.1, "output": 1}}]}'
    )
    held = load_user_json(path, load_catalogue())
    assert cost_of(held, "openai", "gpt-5").usd == Decimal("0.002")
    path.write_text("{")
    with pytest.raises(ConfigError, match="cannot be read as JSON"):
        load_user_json(path, load_catalogue())


DOCS = Path(__file__).parents[2] / "docs" / "prices.md"


def test_the_documented_price_file_is_a_price_file(tmp_path: Path) -> None:
    """The example in docs/prices.md loads and does what its comments say."""
    path = tmp_path / "prices.yaml"
    path.write_text(DOCS.read_text().split("```yaml\n")[1].split("```")[0])
    held = load_user_prices(path, load_catalogue())
    assert cost_of(held, "openai", "gpt-5").usd == Decimal("0.018")
    assert cost_of(held, "github-copilot", "gpt-5-mini").state is State.FLAT_RATE


@pytest.mark.parametrize("word", [*State, *Reason, *Flag])
def test_every_word_of_an_answer_is_documented(word: str) -> None:
    """docs/prices.md names each state, reason and flag."""
    assert f"`{word}`" in DOCS.read_text()
