"""Gemini's generateContent, streamed or not, and its embeddings."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from farthing.collector.demo.providers.answer import Answer, Endpoint, Parts, Whole
from farthing.collector.demo.providers.asked import Asked
from farthing.collector.demo.providers.bill import Bill, Item
from farthing.collector.demo.providers.openai_chat import event
from farthing.economics.usage import TokenBuckets

_ERRORS: Final = {429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE"}
_TOOL_INPUT: Final = 20
"""Tokens of results that the provider's own tools put into the prompt."""


def refuse(status: int) -> Response:
    """As Gemini refuses."""
    name = _ERRORS.get(status, "INVALID_ARGUMENT")
    error = {"code": status, "message": "Refused", "status": name}
    return JSONResponse({"error": error}, status)


def call(ask: Asked, bill: Bill, request: Request) -> Answer:
    """`POST /v1beta/models/MODEL:METHOD`."""
    model, _, method = request.path_params["model"].rpartition(":")
    if "mbedContent" in method:
        return _embedded(ask, bill, model)
    number = bill.number()
    item = bill.add(
        Item(
            provider="gcp.gemini",
            api="generate",
            model=model,
            response_id=f"gemini-{number:08d}",
            buckets=TokenBuckets(
                input=160 + number + _TOOL_INPUT, input_audio=16, cache_read=1024,
                output=172 + number, reasoning=128,
            ),
        )
    )  # fmt: skip
    if method == "streamGenerateContent":
        return _stream(ask, item)
    return Whole(_part(item, _content(ask), "STOP"), item)


def _content(ask: Asked) -> list[dict[str, Any]]:
    if not ask.wants_tool:
        return [{"text": "".join(ask.answer)}]
    tools = ask.body.get("tools") or [{}]
    offered = tools[0].get("functionDeclarations") or [{"name": "get_weather"}]
    function = {"name": offered[0]["name"], "args": {"city": "Paris"}}
    return [{"functionCall": function}]


def _part(
    item: Item, parts: list[dict[str, Any]], finish: str | None
) -> dict[str, Any]:
    candidate: dict[str, Any] = {
        "content": {"role": "model", "parts": parts},
        "index": 0,
    }
    told: dict[str, Any] = {
        "candidates": [candidate],
        "modelVersion": item.model,
        "responseId": item.response_id,
    }
    if finish:
        candidate["finishReason"] = finish
        told["usageMetadata"] = _usage(item.buckets)
    return told


def _usage(buckets: TokenBuckets) -> dict[str, Any]:
    """Prompt without the tools' results, output without the thoughts."""
    prompt = buckets.total_input - _TOOL_INPUT
    text = prompt - buckets.input_audio
    return {
        "promptTokenCount": prompt,
        "cachedContentTokenCount": buckets.cache_read,
        "candidatesTokenCount": buckets.output,
        "thoughtsTokenCount": buckets.reasoning,
        "toolUsePromptTokenCount": _TOOL_INPUT,
        "totalTokenCount": buckets.total_input + buckets.total_output,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": text},
            {"modality": "AUDIO", "tokenCount": buckets.input_audio},
        ],
    }


def _stream(ask: Asked, item: Item) -> Parts:
    whole = _usage(item.buckets)
    contents = [{"text": word} for word in ask.answer]
    end = {**_part(item, [{"text": ""}], "STOP"), "usageMetadata": whole}
    if ask.wants_tool:
        contents, end = [], {**_part(item, _content(ask), "STOP")}
        end["usageMetadata"] = whole
    error = {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}
    return Parts(
        item=item,
        opening=[],
        words=(event(_part(item, [content], None)) for content in contents),
        closing=[event(end)],
        failure=event({"error": error}),
    )


def _embedded(ask: Asked, bill: Bill, model: str) -> Answer:
    number = bill.number()
    asked = ask.body.get("requests") or [ask.body]
    item = bill.add(
        Item(
            provider="gcp.gemini",
            api="embeddings",
            model=model,
            response_id=f"embedding-{number:08d}",
            buckets=TokenBuckets(input=8 + number),
        )
    )
    vectors = [{"values": [0.1, 0.2, 0.3]} for _ in asked]
    # Gemini tells no usage of embeddings: nobody hears of it.
    item.state = "unheard"
    return Whole({"embeddings": vectors, "embedding": vectors[0]})


ENDPOINTS: Final = tuple(
    Endpoint(f"/{version}/models/{{model:path}}", call, refuse)
    for version in ("v1beta", "v1", "v1beta1")
)
