"""The providers and models of the demo, as data.

Prices are not here: the collector knows them, or, for the models that no price list
has, must say that it does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Range = tuple[int, int]
"""Lowest and highest, both included."""


@dataclass(frozen=True, slots=True)
class Api:
    """How calls to a provider look when its official instrumentation tells of them."""

    scope: str
    provider: str
    operation: str
    host: str
    id_prefix: str
    rate_limit_error: str


@dataclass(frozen=True, slots=True)
class Cache:
    """A provider's prompt cache.

    `hit_share` is how often a prefix that should be there is; `tells_writes` whether
    the provider bills, and the emitter tells, what it stores.
    """

    ttl_s: int
    min_tokens: int
    hit_share: float
    tells_writes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model as it is asked for and as it answers."""

    name: str
    served_as: str
    api: Api
    tokens_per_s: int
    reasoning_tokens: Range = (0, 0)
    cache: Cache | None = None


OPENAI: Final = Api(
    scope="opentelemetry.instrumentation.genai.openai",
    provider="openai",
    operation="chat",
    host="api.openai.com",
    id_prefix="chatcmpl-",
    rate_limit_error="openai.RateLimitError",
)
ANTHROPIC: Final = Api(
    scope="opentelemetry.instrumentation.genai.anthropic",
    provider="anthropic",
    operation="chat",
    host="api.anthropic.com",
    id_prefix="msg_",
    rate_limit_error="anthropic.RateLimitError",
)
GEMINI: Final = Api(
    scope="opentelemetry.instrumentation.google_genai",
    provider="gemini",
    operation="generate_content",
    host="generativelanguage.googleapis.com",
    id_prefix="",
    rate_limit_error="429",
)
# A server in the company's own rooms that speaks OpenAI's protocol.
IN_HOUSE: Final = Api(
    scope=OPENAI.scope,
    provider="openai",
    operation="chat",
    host="llm.acme.internal",
    id_prefix="chatcmpl-",
    rate_limit_error="openai.RateLimitError",
)
SCOPE_VERSION: Final = "1.3b0"

_EXPLICIT: Final = Cache(ttl_s=300, min_tokens=1024, hit_share=1.0, tells_writes=True)
_IMPLICIT: Final = Cache(ttl_s=600, min_tokens=1024, hit_share=0.85)
_GUESSED: Final = Cache(ttl_s=300, min_tokens=2048, hit_share=0.6)

GPT_5: Final = Model(
    name="gpt-5",
    served_as="gpt-5-2025-08-07",
    api=OPENAI,
    tokens_per_s=70,
    reasoning_tokens=(64, 900),
    cache=_IMPLICIT,
)
GPT_5_MINI: Final = Model(
    name="gpt-5-mini",
    served_as="gpt-5-mini-2025-08-07",
    api=OPENAI,
    tokens_per_s=120,
    reasoning_tokens=(0, 256),
    cache=_IMPLICIT,
)
SONNET: Final = Model(
    name="claude-sonnet-4-5",
    served_as="claude-sonnet-4-5-20250929",
    api=ANTHROPIC,
    tokens_per_s=75,
    cache=_EXPLICIT,
)
HAIKU: Final = Model(
    name="claude-haiku-4-5",
    served_as="claude-haiku-4-5-20251001",
    api=ANTHROPIC,
    tokens_per_s=160,
    cache=_EXPLICIT,
)
FLASH: Final = Model(
    name="gemini-2.5-flash",
    served_as="gemini-2.5-flash",
    api=GEMINI,
    tokens_per_s=200,
    reasoning_tokens=(0, 200),
    cache=_GUESSED,
)
GEMINI_PRO: Final = Model(
    name="gemini-2.5-pro",
    served_as="gemini-2.5-pro",
    api=GEMINI,
    tokens_per_s=90,
    reasoning_tokens=(200, 1200),
    cache=_GUESSED,
)
UNKNOWN: Final = Model(
    name="acme-docreader-2",
    served_as="acme-docreader-2",
    api=OPENAI,
    tokens_per_s=90,
)
LOCAL: Final = Model(
    name="acme-local-coder-30b",
    served_as="acme-local-coder-30b",
    api=IN_HOUSE,
    tokens_per_s=35,
)
EMBEDDING: Final = Model(
    name="text-embedding-3-small",
    served_as="text-embedding-3-small",
    api=OPENAI,
    tokens_per_s=20_000,
)
