"""Claude Code: names without a prefix, input without the cached tokens.

Its log record `api_request` arrives as a span (`receive/told_in_logs.py`): only it has
the lifetimes of cache writes and the model that answered.
"""

from farthing import semconv
from farthing.collector.dialects import Dialect, Exclusive

DIALECT = Dialect(
    name="claude_code",
    scopes=("com.anthropic.claude_code*",),
    attributes={
        **semconv.GEN_AI,
        "provider": (*semconv.GEN_AI["provider"], "anthropic.provider"),
        "request_model": ("gen_ai.request.model", "model"),
        "speed": ("speed", *semconv.GEN_AI["speed"]),
        "finish_reasons": ("gen_ai.response.finish_reasons", "stop_reason"),
        "input_total": ("input_tokens",),
        "output_total": ("output_tokens",),
        "cache_read": ("cache_read_tokens",),
        "cache_write": ("cache_creation_tokens",),
        "cache_write_5m": ("cache_creation_5m_tokens",),
        "cache_write_1h": ("cache_creation_1h_tokens",),
        "claimed_usd": ("cost_usd",),
        "first_chunk_ms": ("ttft_ms",),
    },
    span_names={
        "claude_code.llm_request": "chat",
        "claude_code.api_request": "chat",
    },
    exclusive=(Exclusive(),),
    evidence="input_tokens 50 for 50 + 2000 read + 700 written: CLI 2.1.330",
)
