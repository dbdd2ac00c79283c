"""Each set of spans in which instrumentations tell of one call, and what comes of it.

The sets were captured from real SDKs; the numbers are those of the call that every set
tells of, in buckets that do not overlap.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from farthing.collector.receive.told_in_logs import spans_of
from tests.claude_code_logs import API_REQUEST, INTERACTION, LLM_REQUEST, TRACE, logs
from tests.settle.conftest import Book
from tests.settle.spans import (
    LANGCHAIN,
    NATIVE,
    OFFICIAL,
    OFFICIAL_OPENAI,
    OPENINFERENCE,
    OPENLLMETRY,
    Attributes,
    Told,
    Value,
    chat,
    native,
    openinference,
    request,
)

OPENINFERENCE_OPENAI = "openinference.instrumentation.openai"
OPENLLMETRY_OPENAI = "opentelemetry.instrumentation.openai.v1"
BEDROCK = "opentelemetry.instrumentation.genai.bedrock"
GEMINI = "opentelemetry.instrumentation.google_genai"
NAMES = (
    "input_tokens", "input_audio_tokens", "cache_read_tokens", "cache_write_5m_tokens",
    "cache_write_1h_tokens", "output_tokens", "reasoning_tokens", "output_audio_tokens",
)  # fmt: skip
MESSAGE = (50, 0, 2000, 500, 200, 210, 90, 0)
STREAM = (50, 0, 2000, 500, 200, 300, 0, 0)
CHAT = (96, 16, 1024, 64, 0, 164, 128, 8)


def usage(**counts: int) -> dict[str, Value]:
    names = {
        "input": "input_tokens",
        "output": "output_tokens",
        "read": "cache_read.input_tokens",
        "write": "cache_write.input_tokens",
        "reasoning": "reasoning.output_tokens",
        "audio_in": "audio.input_tokens",
        "audio_out": "audio.output_tokens",
    }
    return {f"gen_ai.usage.{names[name]}": count for name, count in counts.items()}


def said(operation: str, provider: str, model: str, **more: Value) -> Attributes:
    return {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        **more,
    }


ANSWERED: dict[str, Value] = {"gen_ai.response.id": "chatcmpl-1"}
OPENAI = said(
    "chat", "openai", "gpt-5-2025-08-07",
    **ANSWERED,
    **usage(input=1200, output=300, read=1024, write=64, reasoning=128, audio_in=16,
            audio_out=8),
)  # fmt: skip
OPENLLMETRY_CHAT = said(
    "chat", "openai", "gpt-5-2025-08-07",
    **ANSWERED, **{"gen_ai.usage.reasoning_tokens": 128},
    **usage(input=1200, output=300, read=1024),
)  # fmt: skip
OPENINFERENCE_CHAT: Attributes = {
    "openinference.span.kind": "LLM",
    "llm.system": "openai",
    "llm.model_name": "gpt-5-2025-08-07",
    "llm.token_count.prompt": 1200,
    "llm.token_count.completion": 300,
    "llm.token_count.prompt_details.cache_read": 1024,
    "llm.token_count.prompt_details.cache_write": 64,
    "llm.token_count.prompt_details.audio": 16,
    "llm.token_count.completion_details.reasoning": 128,
    "llm.token_count.completion_details.audio": 8,
}
PYDANTIC_OPENAI = said(
    "chat", "openai", "gpt-5-2025-08-07",
    **ANSWERED,
    **{
        "gen_ai.usage.details.reasoning_tokens": 128,
        "gen_ai.usage.details.input_audio_tokens": 16,
        "gen_ai.usage.details.output_audio_tokens": 8,
    },
    **usage(input=1200, output=300, read=1024),
)  # fmt: skip
SUMMED_UP = {"gen_ai.usage.output_tokens": 301}  # with the 1 of message_start
NO_REASONING = {"gen_ai.usage.reasoning.output_tokens": 0}
OPUS_BEDROCK = "us.anthropic.claude-opus-5"
ONE_HOUR = {"gen_ai.usage.details.ephemeral_1h_input_tokens": 200}
CLOSED_EARLY = {
    "gen_ai.response.id": "msg_1",
    **{k: v for k, v in native().items() if "output" not in k},
}
JSON_ID = {"output.value": '{"id": "msg_1", "usage": {"service_tier": "standard"}}'}


@dataclass(frozen=True)
class Case:
    """A set of spans, and the buckets of the one call that they tell of."""

    spans: tuple[Told, ...]
    buckets: tuple[int, ...]
    states: tuple[str, ...] = ("priced",)


def nested(*told: tuple[str, Attributes]) -> tuple[Told, ...]:
    """Spans of one trace, each inside the one before."""
    return tuple(
        Told(scope, n, parent=n - 1, start_ms=n, end_ms=1000 - n, attributes=attributes)
        for n, (scope, attributes) in enumerate(told, start=1)
    )


def apart(*told: tuple[str, Attributes]) -> tuple[Told, ...]:
    """Spans that are roots of traces of their own."""
    return tuple(
        Told(scope, n, trace=n, start_ms=n, end_ms=1000 - n, attributes=attributes)
        for n, (scope, attributes) in enumerate(told, start=1)
    )


CASES = {
    "official OpenAI": Case(nested((OFFICIAL_OPENAI, OPENAI)), CHAT, ("partial",)),
    "OpenInference OpenAI": Case(
        nested((OPENINFERENCE_OPENAI, OPENINFERENCE_CHAT)), CHAT, ("partial",)
    ),
    "official + OpenLLMetry OpenAI": Case(
        nested((OPENLLMETRY_OPENAI, OPENLLMETRY_CHAT), (OFFICIAL_OPENAI, OPENAI)),
        CHAT,
        ("partial",),
    ),
    "pydantic-ai + official OpenAI": Case(
        nested(("pydantic-ai", PYDANTIC_OPENAI), (OFFICIAL_OPENAI, OPENAI)),
        CHAT,
        ("partial",),
    ),
    "native + official Anthropic": Case(
        nested((OFFICIAL, chat("msg_1")), (NATIVE, native("msg_1"))), MESSAGE
    ),
    "native + official + OpenLLMetry Anthropic": Case(
        (
            *nested((OFFICIAL, chat("msg_1")), (NATIVE, native("msg_1"))),
            Told(OPENLLMETRY, 9, trace=9, attributes=chat("msg_1")),
        ),
        MESSAGE,
    ),
    "tool runner": Case(
        nested(
            (NATIVE, {"gen_ai.operation.name": "invoke_agent", **usage(input=2750)}),
            (OFFICIAL, chat("msg_1")),
            (NATIVE, native("msg_1")),
        ),
        MESSAGE,
    ),
    "Anthropic's client for Bedrock": Case(
        nested(
            (OFFICIAL, chat("msg_1", **{"gen_ai.request.model": OPUS_BEDROCK})),
            (
                f"{NATIVE}.bedrock",
                native("msg_1", **{"gen_ai.provider.name": "aws.bedrock"}),
            ),
        ),
        MESSAGE,
    ),
    "native + LangChain + OpenLLMetry + pydantic-ai, streams": Case(
        (
            *nested(
                ("pydantic-ai", chat(**ONE_HOUR)),
                (LANGCHAIN, chat("msg_1", **usage(input=0))),
                (NATIVE, native("msg_1", **NO_REASONING)),
            ),
            Told(OPENLLMETRY, 9, trace=9, attributes=chat("msg_1", **SUMMED_UP)),
        ),
        STREAM,
    ),
    "official Bedrock": Case(
        nested(
            (
                BEDROCK,
                said(
                    "chat",
                    "aws.bedrock",
                    OPUS_BEDROCK,
                    **usage(input=50, output=300, read=2000, write=700),
                ),
            )
        ),
        (50, 0, 2000, 700, 0, 300, 0, 0),
    ),
    "OpenLLMetry OpenAI alone": Case(
        nested((OPENLLMETRY_OPENAI, OPENLLMETRY_CHAT)),
        (176, 0, 1024, 0, 0, 172, 128, 0),
    ),
    "OpenLLMetry LiteLLM, Anthropic, alone": Case(
        nested(
            (
                "opentelemetry.instrumentation.litellm",
                said(
                    "chat",
                    "anthropic",
                    "claude-sonnet-4-5-20250929",
                    **usage(input=2750, output=300, read=2000),
                ),
            )
        ),
        (750, 0, 2000, 0, 0, 300, 0, 0),
    ),
    "official Gemini": Case(
        nested(
            (
                GEMINI,
                said(
                    "generate_content",
                    "gemini",
                    "gemini-2.5-flash",
                    **usage(
                        input=1200, output=300, read=1024, reasoning=128, audio_in=16
                    ),
                ),
            )
        ),
        (160, 16, 1024, 0, 0, 172, 128, 0),
    ),
    "official OpenAI stream without include_usage": Case(
        nested(
            (
                OFFICIAL_OPENAI,
                said("chat", "openai", "gpt-5", **{"gen_ai.response.id": "chatcmpl-2"}),
            )
        ),
        (0, 0, 0, 0, 0, 0, 0, 0),
        ("no_usage",),
    ),
    "OpenInference + native Anthropic stream, closed early": Case(
        apart(
            (OPENINFERENCE, openinference(**{"llm.token_count.completion": 1})),
            (NATIVE, CLOSED_EARLY),
        ),
        (50, 0, 2000, 500, 200, 0, 0, 0),
        ("partial",),
    ),
    "OpenInference that shows its answer + native Anthropic": Case(
        apart((OPENINFERENCE, openinference(**JSON_ID)), (NATIVE, native("msg_1"))),
        MESSAGE,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_set_of_spans_is_one_call(book: Book, case: Case) -> None:
    """One record per call, with every token that the provider billed and that any of
    its spans tells of."""
    book.load(*case.spans)
    totals = book.totals()
    assert totals["calls"] == 1
    assert tuple(totals.get(name, 0) for name in NAMES) == case.buckets
    in_force = [row["cost_state"] for row in book.by("cost_state") if row["calls"]]
    assert tuple(in_force) == case.states


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_order_of_its_spans_does_not_matter(book: Book, case: Case) -> None:
    """The same, one span a batch, the last one first."""
    for told in reversed(case.spans):
        book.load(told)
    totals = book.totals()
    assert totals["calls"] == 1
    assert tuple(totals.get(name, 0) for name in NAMES) == case.buckets


@pytest.mark.parametrize("log_first", [True, False])
def test_a_call_of_claude_code_is_owned_by_its_log(
    book: Book, *, log_first: bool
) -> None:
    """Of its span and its log record the record is the better informed: it has the
    lifetimes of the cache write. The span adds what else it knows."""
    span = Told(
        "com.anthropic.claude_code.tracing",
        72,
        trace=TRACE,
        parent=INTERACTION,
        start_ms=5,
        end_ms=1000,
        name="claude_code.llm_request",
        attributes=LLM_REQUEST,
    )
    requests = [request([span]), spans_of(logs(API_REQUEST))]
    for one in reversed(requests) if log_first else requests:
        book.load_requests([one])
    totals = book.totals()
    assert totals["calls"] == 1
    assert tuple(totals.get(name, 0) for name in NAMES) == STREAM
    [row] = book.by("run_id", "provider", "model", "finish_reasons", "cost_state")
    assert (row["run_id"], row["provider"], row["model"]) == (
        "s-1",
        "anthropic",
        "claude-opus-5",
    )
    assert (row["finish_reasons"], row["cost_state"]) == ("end_turn", "priced")


def test_what_an_unknown_operation_sums_is_not_counted_beside_its_calls(
    book: Book,
) -> None:
    """A span of an operation that nobody knows, around a call, is one more telling."""
    summed = said("orchestrate", "anthropic", "claude-sonnet-4-5", **usage(input=2750))
    book.load(*nested(("acme.agents", summed), (NATIVE, native("msg_1"))))
    totals = book.totals()
    assert tuple(totals.get(name, 0) for name in ("calls", *NAMES)) == (1, *MESSAGE)
