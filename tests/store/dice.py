"""Random calls: as spans, and as the rules in Python see them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from farthing.economics.prices import Call, Catalogue
from farthing.economics.prices.resolver import resolve_provider
from farthing.economics.usage import Reported, from_reported
from tests.store.otlp import Told

DAY_S = 86_400
DAYS = 40
INVALID = -1
USAGE = {
    "input_total": "gen_ai.usage.input_tokens",
    "output_total": "gen_ai.usage.output_tokens",
    "cache_read": "gen_ai.usage.cache_read.input_tokens",
    "cache_write": "gen_ai.usage.cache_write.input_tokens",
    "cache_write_5m": "anthropic.usage.cache_creation.ephemeral_5m_input_tokens",
    "cache_write_1h": "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",
    "reasoning": "gen_ai.usage.reasoning.output_tokens",
    "input_audio": "gen_ai.usage.audio.input_tokens",
    "cache_audio": "gen_ai.usage.audio.cache_read.input_tokens",
    "output_audio": "gen_ai.usage.audio.output_tokens",
    "tool_input": "farthing.usage.tool_input_tokens",
    "compaction_input": "anthropic.usage.compaction.input_tokens",
    "compaction_output": "anthropic.usage.compaction.output_tokens",
}
CALL = {
    "provider": "gen_ai.provider.name",
    "request_model": "gen_ai.request.model",
    "response_model": "gen_ai.response.model",
    "host": "server.address",
    "service_tier": "openai.response.service_tier",
    "batch": "farthing.batch",
    "speed": "farthing.inference.speed",
    "geo": "farthing.inference.geo",
    "region": "farthing.inference.region",
    "deployment": "farthing.inference.deployment",
    "claimed_usd": "gen_ai.usage.cost.amount",
}
SEARCHES = "farthing.usage.web_searches"
STATE = "farthing.usage.state"
STREAMED = "gen_ai.request.stream"
FINISHED = "gen_ai.response.finish_reasons"
TOTAL = "gen_ai.usage.total_tokens"
FAVOURITES = (
    "openai", "anthropic", "azure", "aws", "google", "deepseek", "openrouter",
    "perplexity", "github-copilot",
)  # fmt: skip
BEDROCK = "opentelemetry.instrumentation.genai.bedrock"
INCLUDES_CACHE = {
    "opentelemetry.instrumentation.genai.openai": True,
    "com.anthropic.sdk.python": True,
    BEDROCK: False,  # but for streams of OpenAI's models
    "acme.agents": None,
}
HOSTS = (
    "api.openai.com", "https://API.groq.com/v1", "x.openai.azure.com", "127.0.0.1",
    "localhost", "http://user:pw@proxy:4000/v1", "[::1]:8080", "::1", "llm.prod.svc",
    "llm.example.com", "eu.api.openai.com", "openrouter.ai.", "10.0.0.1.example.org",
    "bedrock-runtime.us-east-1.amazonaws.com", "us-east5-aiplatform.googleapis.com",
    "/v1", "gateway.local", "xapi.openai.com",
)  # fmt: skip
SUFFIXES = (
    "-2026-02-02", "-20260202", "-latest", "@20260101", "-v1:0", "-0125", "-01-25",
    "-x", "-preview", ":free", "-2026-13-01", "-é",
)  # fmt: skip
PREFIXES = (
    "openai/", "models/", "us.", "global.", "azure/", "anthropic/", "openrouter/",
    "arn:aws:bedrock:us-east-1:1:inference-profile/us.", "publishers/google/models/",
    "projects/p/locations/us-east5/publishers/anthropic/models/", "ft:",
    "arn:aws:bedrock:us-east-1:1:application-inference-profile/",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One call: as a span, and as the rules in Python see it."""

    told: Told
    call: Call
    usage: Reported


class Dice:
    """Random calls. Names come from the catalogue, and from near it."""

    def __init__(self, seed: int, catalogue: Catalogue) -> None:
        self.roll = random.Random(seed)
        self.rules = catalogue.rules
        # Few days, because each is a partition of the ledger; half of them are recent.
        self.days = [
            self.roll.randrange(start, 1_794_000_000, DAY_S)
            for start in (1_680_000_000, 1_780_000_000) * (DAYS // 2)
        ]
        of: dict[str, list[str]] = {}
        for provider, name in catalogue.models:
            of.setdefault(provider, []).append(name)
        self.ids = of
        self.words: dict[str, list[str]] = {}
        for word, provider in self.rules.provider_aliases.items():
            self.words.setdefault(provider, []).append(word)

    def one(self, of: Any) -> Any:
        return self.roll.choice(list(of))

    def maybe(self, chance: float, value: Any, otherwise: Any = "") -> Any:
        return value if self.roll.random() < chance else otherwise

    def case(self) -> Case:
        scope = self.one(INCLUDES_CACHE)
        end_s = self.one(self.days) + self.roll.randrange(DAY_S)
        counts, invalid = self.usage()
        searches = self.maybe(0.1, self.roll.randrange(4), 0)
        told = self.names()
        believed: dict[str, Any] = dict(counts)
        if invalid:
            believed["input_total"] = INVALID
        is_partial = self.maybe(0.05, True, False)
        is_streamed = self.maybe(0.3, True, False)
        total = self.maybe(0.3, self.total(counts), None)
        is_openai = "openai." in told["request_model"]
        is_inclusive = (scope == BEDROCK and is_streamed and is_openai) or None
        usage = from_reported(
            believed.pop("input_total", None),
            believed.pop("output_total", None),
            **believed,
            total=total,
            provider=resolve_provider(self.rules, told["provider"], host=told["host"])[
                0
            ],
            includes_cache=is_inclusive or INCLUDES_CACHE[scope],
            is_partial=is_partial,
            is_streamed=is_streamed,
        )
        call = Call(
            **told,
            at=datetime.fromtimestamp(end_s, UTC),
            buckets=usage.buckets,
            tool_uses={"web_search": searches},
            invalid_usage=usage.is_invalid,
            usage_incomplete=usage.is_incomplete,
        )
        attributes = {
            "gen_ai.operation.name": self.one(("chat", "generate_content")),
            **self.attributes(told, searches),
            **{USAGE[k]: self.typed(n) for k, n in counts.items() if n is not None},
        }
        attributes.update(invalid)
        if is_partial:
            attributes[STATE] = "partial"
        if is_streamed:  # to its end
            attributes.update({STREAMED: True, FINISHED: "stop"})
        if total is not None:
            attributes[TOTAL] = self.typed(total)
        return Case(Told(attributes, scope=scope, end_s=end_s), call, usage)

    def attributes(self, told: Mapping[str, Any], searches: int) -> dict[str, Any]:
        made = {
            CALL[key]: value for key, value in told.items() if value not in ("", None)
        }
        if "claimed_usd" in told and told["claimed_usd"] is not None:
            made[CALL["claimed_usd"]] = str(told["claimed_usd"])
        if searches:
            made[SEARCHES] = searches
        return made

    def usage(self) -> tuple[dict[str, int | None], dict[str, Any]]:
        """Counts by field, and by attribute what cannot be one."""
        if self.roll.random() < 0.03:
            return {}, {}
        most = self.one((0, 50, 5_000, 300_000, 10_000_000))
        total = self.roll.randint(0, most)
        counts: dict[str, int | None] = {
            "input_total": self.maybe(0.97, total, None),
            "output_total": self.maybe(0.97, self.roll.randint(0, most), None),
        }
        for name in list(USAGE)[2:]:
            of = self.one((0, total // 4, total // 3, total))
            counts[name] = self.maybe(0.35, self.roll.randint(0, of), None)
        if self.roll.random() < 0.06:
            wrong = self.one(
                (-1, 10_000_001, 2**63 - 1, 1.5, 1e30, float("nan"), "many")
            )
            return counts, {USAGE[self.one(counts)]: wrong}
        return counts, {}

    def total(self, counts: Mapping[str, int | None]) -> int:
        """A sum of the counts, or of some: an input may hold what was cached, and an
        output its reasoning."""
        summed = ["input_total", "tool_input", "output_total"]
        summed += self.maybe(0.5, ["reasoning"], [])
        summed += self.maybe(0.5, ["cache_read", "cache_write"], [])
        untold = self.maybe(0.3, self.one((1, 700, 9_999_999, 20_000_000)), 0)
        return sum(counts.get(name) or 0 for name in summed) + int(untold)

    def typed(self, count: int) -> Any:
        return self.one((count, count, float(count), str(count)))

    def names(self) -> dict[str, Any]:
        provider = self.one((self.one(self.ids), self.one(FAVOURITES)))
        model = self.model(provider)
        word = self.one(self.words.get(provider, [provider]))
        word = self.maybe(
            0.12, "openai", self.maybe(0.04, self.one(("", "acme", "İ")), word)
        )
        claim = self.one(
            ("0.0123456789012345678", "0", "-1", "2e6", "1e-20", "nan", "1.5")
        )
        return {
            "provider": self.spoiled(word),
            "response_model": self.maybe(0.9, self.spoiled(model)),
            "request_model": self.maybe(0.5, self.spoiled(self.model(provider))),
            "host": self.maybe(0.2, self.one(HOSTS)),
            "service_tier": self.maybe(
                0.15, self.one((*self.rules.tiers, "weird", " Flex "))
            ),
            "batch": self.maybe(0.08, True, False),
            "speed": self.maybe(0.06, self.one((*self.rules.speeds, "slow"))),
            "geo": self.maybe(0.25, self.one(("us", "US ", "eu", "apac", "global"))),
            "region": self.maybe(0.25, self.one(("us", "eu", "us-east5", "japaneast"))),
            "deployment": self.maybe(
                0.25, self.one(("data_zone", "Data Zone", "global", "regional", "x"))
            ),
            "claimed_usd": self.maybe(0.15, Decimal(claim), None),
        }

    def model(self, provider: str) -> str:
        name = self.one(self.ids[provider])
        name = self.maybe(0.08, self.one(PREFIXES)) + name
        return str(name + self.maybe(0.15, self.one(SUFFIXES)))

    def spoiled(self, word: str) -> str:
        return str(self.one((word, word, word, word.upper(), f" {word}\t")))
