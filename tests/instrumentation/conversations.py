"""One conversation in every provider's form: a question, two tool calls, results."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, NamedTuple

QUESTION = "what is the weather in Paris and in Oslo?"
SYSTEM = "you are a careful weatherman"
GOOD = "sunny, 21 degrees"
BAD = "Error: no such city"


class Conversation(NamedTuple):
    """A request as an SDK takes it, and the library and operation that send it."""

    library: str
    operation: str
    request: dict[str, Any]


def openai_chat() -> Conversation:
    asked = [
        {"id": f"call_{n}", "type": "function",
         "function": {"name": "weather", "arguments": f'{{"city": "{city}"}}'}}
        for n, city in enumerate(("Paris", "Oslo"))
    ]  # fmt: skip
    request = {
        "model": "gpt-5",
        "max_completion_tokens": 100,
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": QUESTION},
            {"role": "assistant", "content": None, "tool_calls": asked},
            {"role": "tool", "tool_call_id": "call_0", "content": GOOD},
            {"role": "tool", "tool_call_id": "call_1", "content": BAD},
        ],
        "tools": [{"type": "function", "function": {"name": "weather"}}],
    }
    return Conversation("openai", "chat", request)


def openai_responses() -> Conversation:
    asked = [
        {"type": "function_call", "call_id": f"call_{n}", "name": "weather",
         "arguments": f'{{"city": "{city}"}}'}
        for n, city in enumerate(("Paris", "Oslo"))
    ]  # fmt: skip
    request = {
        "model": "gpt-5",
        "max_output_tokens": 100,
        "instructions": SYSTEM,
        "input": [
            {"role": "user", "content": QUESTION},
            {"type": "reasoning", "summary": []},
            *asked,
            {"type": "function_call_output", "call_id": "call_0", "output": GOOD},
            {"type": "function_call_output", "call_id": "call_1", "output": BAD},
        ],
        "tools": [{"type": "function", "name": "weather"}],
    }
    return Conversation("openai", "chat", request)


def anthropic() -> Conversation:
    asked = [
        {"type": "tool_use", "id": f"call_{n}", "name": "weather",
         "input": {"city": city}}
        for n, city in enumerate(("Paris", "Oslo"))
    ]  # fmt: skip
    results = [
        {"type": "tool_result", "tool_use_id": "call_0",
         "content": [{"type": "text", "text": GOOD}]},
        {"type": "tool_result", "tool_use_id": "call_1", "content": BAD,
         "is_error": True},
    ]  # fmt: skip
    request = {
        "model": "claude-opus-5",
        "max_tokens": 100,
        "system": SYSTEM,
        "messages": [
            {"role": "user", "content": QUESTION},
            {"role": "assistant", "content": [{"type": "text", "text": "hm"}, *asked]},
            {"role": "user", "content": results},
        ],
        "tools": [{"name": "weather", "input_schema": {"type": "object"}}],
    }
    return Conversation("anthropic", "chat", request)


def gemini() -> Conversation:
    cities = ("Paris", "Oslo")
    asked = [
        {"function_call": {"id": f"call_{n}", "name": "weather", "args": {"city": c}}}
        for n, c in enumerate(cities)
    ]
    given = [
        {"function_response": {"id": f"call_{n}", "name": "weather", "response": told}}
        for n, told in enumerate(({"result": GOOD}, {"error": BAD}))
    ]
    request = {
        "model": "gemini-2.5-flash",
        "config": {
            "system_instruction": SYSTEM,
            "max_output_tokens": 100,
            "tools": [{"function_declarations": [{"name": "weather"}]}],
        },
        "contents": [
            {"role": "user", "parts": [{"text": QUESTION}]},
            {"role": "model", "parts": asked},
            {"role": "user", "parts": given},
        ],
    }
    return Conversation("google_genai", "generate_content", request)


def bedrock() -> Conversation:
    asked = [
        {"toolUse": {"toolUseId": f"call_{n}", "name": "weather",
                     "input": {"city": city}}}
        for n, city in enumerate(("Paris", "Oslo"))
    ]  # fmt: skip
    given = [
        {"toolResult": {"toolUseId": "call_0", "content": [{"text": GOOD}]}},
        {"toolResult": {"toolUseId": "call_1", "content": [{"text": BAD}],
                        "status": "error"}},
    ]  # fmt: skip
    request = {
        "modelId": "anthropic.claude-opus-5-v1:0",
        "inferenceConfig": {"maxTokens": 100},
        "system": [{"text": SYSTEM}],
        "messages": [
            {"role": "user", "content": [{"text": QUESTION}]},
            {"role": "assistant", "content": asked},
            {"role": "user", "content": given},
        ],
        "toolConfig": {"tools": [{"toolSpec": {"name": "weather"}}]},
    }
    return Conversation("botocore", "chat", request)


def gemini_json() -> Conversation:
    """What Gemini's SDK sends, in place of what it is given."""
    library, operation, given = gemini()
    texts = {"function_call": "functionCall", "function_response": "functionResponse"}
    contents = json.dumps(given["contents"])
    for snake, camel in texts.items():
        contents = contents.replace(snake, camel)
    request = {
        "contents": json.loads(contents),
        "systemInstruction": {"parts": [{"text": SYSTEM}]},
        "tools": [{"functionDeclarations": [{"name": "weather"}]}],
        "generationConfig": {"maxOutputTokens": 100},
    }
    return Conversation(library, operation, request)


ALL = {
    make.__name__: make
    for make in (
        openai_chat,
        openai_responses,
        anthropic,
        gemini,
        gemini_json,
        bedrock,
    )
}


def as_objects(value: Any) -> Any:
    """The same, as the SDKs' own objects would have it: attributes instead of keys."""
    if isinstance(value, dict):
        return SimpleNamespace(
            **{key: as_objects(inner) for key, inner in value.items()}
        )
    if isinstance(value, list):
        return [as_objects(inner) for inner in value]
    return value
