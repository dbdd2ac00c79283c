"""What real instrumentations sent: calls and tokens, scope by scope."""

from __future__ import annotations

from pathlib import Path

import pytest

from farthing.collector.store.ledger import Ledger
from tests.store.otlp import captured

CAPTURES = Path(__file__).parents[1] / "otlp"
OFFICIAL = "opentelemetry.instrumentation.genai."
NATIVE = "com.anthropic.sdk.python"
BUCKETS = (
    "input_tokens", "cache_read_tokens", "cache_write_5m_tokens",
    "cache_write_1h_tokens", "input_audio_tokens", "output_tokens", "reasoning_tokens",
    "output_audio_tokens",
)  # fmt: skip
CHAT = (96, 1024, 64, 0, 16, 164, 128, 8)
RESPONSE = (112, 1024, 64, 0, 0, 172, 128, 0)
MESSAGE = (50, 2000, 500, 200, 0, 210, 90, 0)
MESSAGE_STREAM = (50, 2000, 500, 200, 0, 300, 0, 0)
NO_TTL = (50, 2000, 700, 0, 0, 210, 90, 0)
NO_TTL_STREAM = (50, 2000, 700, 0, 0, 300, 0, 0)
NO_AUDIO = (176, 1024, 0, 0, 0, 172, 128, 0)
EMBEDDING = (8, 0, 0, 0, 0, 0, 0, 0)
NOTHING = (0, 0, 0, 0, 0, 0, 0, 0)

CASES = [
    (
        "official-openai",
        f"{OFFICIAL}openai",
        {CHAT: 6, RESPONSE: 2, NOTHING: 1, EMBEDDING: 1},
    ),
    ("official-anthropic", f"{OFFICIAL}anthropic", {NO_TTL: 3, NO_TTL_STREAM: 3}),
    ("official-anthropic", NATIVE, {MESSAGE: 3, MESSAGE_STREAM: 3}),
    ("official-langchain", f"{OFFICIAL}langchain", {CHAT: 3}),
    ("official-openai-agents", f"{OFFICIAL}openai", {CHAT: 2, RESPONSE: 2}),
    ("official-openai-agents", f"{OFFICIAL}openai_agents", {}),
    (
        "openllmetry-openai",
        "opentelemetry.instrumentation.openai.v1",
        {NO_AUDIO: 4, (176, 1024, 0, 0, 0, 300, 0, 0): 1},
    ),
    (
        "openllmetry-anthropic",
        "opentelemetry.instrumentation.anthropic",
        {NO_TTL_STREAM: 3, (50, 2000, 700, 0, 0, 301, 0, 0): 1},
    ),
    ("openllmetry-anthropic", NATIVE, {MESSAGE: 3, MESSAGE_STREAM: 1}),
    ("openinference-openai", "openinference.instrumentation.openai", {CHAT: 4}),
]


@pytest.fixture(scope="module")
def loaded(ledger: Ledger) -> Ledger:
    """The ledger with every capture in it, each a batch by its name."""
    for path in sorted(CAPTURES.glob("*.pb")):
        ledger.load(f"capture {path.name.partition('.')[0]}", [*captured(path)])
    return ledger


@pytest.mark.parametrize(("capture", "scope", "billed"), CASES)
def test_each_scope_tells_the_calls_that_were_billed(
    loaded: Ledger, capture: str, scope: str, billed: dict[tuple[int, ...], int]
) -> None:
    """Calls and their buckets are those of the captures' README, as far as told."""
    found = loaded.store.rows(
        f"SELECT ({', '.join(BUCKETS)}) AS buckets, sum(calls) AS told FROM spans"
        " WHERE load = {load:String} AND scope = {scope:String} AND calls"
        " GROUP BY buckets",
        {"load": f"capture {capture}", "scope": scope},
    )
    assert {tuple(row["buckets"]): row["told"] for row in found} == billed


def test_a_gateway_of_ones_own_costs_the_same_with_every_instrumentation(
    loaded: Ledger,
) -> None:
    """The same call is priced the same whoever tells it, whether or not with a host."""
    found = loaded.store.rows(
        "SELECT groupUniqArray(cost_usd) AS costs, groupUniqArray(flags) AS flags,"
        " uniqExact(scope) AS scopes FROM spans"
        " WHERE load LIKE 'capture %' AND model = 'gpt-5' AND input_audio_tokens = 16"
        " AND service_tier != 'flex'"
    )[0]
    assert found["scopes"] == 3
    assert len(found["costs"]) == 1
    told = {frozenset(flags) for flags in found["flags"]}
    assert told == {
        frozenset({"ttl_assumed"}),
        frozenset({"ttl_assumed", "host_assumed"}),
    }


def test_no_message_content_is_stored(loaded: Ledger) -> None:
    """Attributes that may hold what people wrote are not in the ledger."""
    found = loaded.store.rows(
        "SELECT arrayDistinct(arrayFlatten(groupArray(mapKeys(attributes)))) AS names"
        " FROM spans WHERE load LIKE 'capture %'"
    )[0]["names"]
    assert "gen_ai.request.max_tokens" in found
    assert not [name for name in found if "message" in name or "content" in name]
