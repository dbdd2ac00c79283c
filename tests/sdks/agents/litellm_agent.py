"""Calls of LiteLLM to several providers, as applications make them."""

from __future__ import annotations

import contextlib
import os
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "true"  # the other one is on the internet

import litellm
from cases import PROVIDERS, cancelled, case, messages, prompt, run_all

litellm.suppress_debug_info = True
OPENAI: Any = {
    "model": "openai/gpt-5",
    "api_base": f"{PROVIDERS}/v1",
    "api_key": "none",
}
ANTHROPIC: Any = {
    "model": "anthropic/claude-sonnet-4-5",
    "api_base": PROVIDERS,
    "api_key": "none",
}
GEMINI: Any = {
    "model": "gemini/gemini-2.5-flash",
    "api_base": f"{PROVIDERS}/v1beta",
    "api_key": "none",
}
TOOL: Any = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object"}},
}


def shape(chunks: Any) -> list[Any]:
    return [
        [len(c.choices), c.choices[0].delta.content if c.choices else None]
        for c in chunks
    ]


def chat(known: Any, words: str = "", **more: Any) -> Any:
    return litellm.completion(messages=messages(words), **known, **more)


@case
def openai_plain() -> Any:
    return chat(OPENAI).choices[0].message.content


@case
def openai_streamed() -> Any:
    return shape(chat(OPENAI, stream=True))


@case
def openai_streamed_with_usage() -> Any:
    return shape(chat(OPENAI, stream=True, stream_options={"include_usage": True}))


@case
def openai_retried() -> Any:
    return chat(OPENAI, "#fail=429", num_retries=2).choices[0].message.content


@case
def openai_responses() -> Any:
    return litellm.responses(input=prompt(), **OPENAI).output[0].type


@case
def openai_embeddings() -> Any:
    known = {**OPENAI, "model": "openai/text-embedding-3-small"}
    return len(litellm.embedding(input=[prompt()], **known).data)


@case
def anthropic_plain() -> Any:
    return chat(ANTHROPIC).choices[0].message.content


@case
def anthropic_streamed() -> Any:
    return shape(chat(ANTHROPIC, stream=True))


@case
def anthropic_tools() -> Any:
    answer = chat(ANTHROPIC, "#tools", tools=[TOOL])
    return answer.choices[0].message.tool_calls[0].function.name


@case
def openai_tools() -> Any:
    asked: Any = messages("#tools")
    said = litellm.completion(messages=asked, tools=[TOOL], **OPENAI).choices[0].message
    call = said.tool_calls[0]
    asked += [said, {"role": "tool", "tool_call_id": call.id, "content": "rain"}]
    answer = litellm.completion(messages=asked, tools=[TOOL], **OPENAI)
    return answer.choices[0].message.content


@case
def anthropic_refused() -> Any:
    with contextlib.suppress(Exception):
        chat(ANTHROPIC, "#refuse=400")
    return "refused"


@case
def anthropic_left_early() -> Any:
    for _ in chat(ANTHROPIC, "#words=400 #pace=0.01", stream=True):
        break
    return "left"


@case
def gemini_plain() -> Any:
    return chat(GEMINI).choices[0].message.content


@case
def gemini_streamed() -> Any:
    return shape(chat(GEMINI, stream=True))


@case
async def openai_asynchronous() -> Any:
    answer = await litellm.acompletion(messages=messages(), **OPENAI)
    return answer.choices[0].message.content


@case
async def anthropic_asynchronous() -> Any:
    answer = await litellm.acompletion(messages=messages(), **ANTHROPIC)
    return answer.choices[0].message.content


@case
async def anthropic_asynchronous_streamed() -> Any:
    stream = await litellm.acompletion(messages=messages(), stream=True, **ANTHROPIC)
    return shape([chunk async for chunk in stream])


@case
async def anthropic_cancelled() -> Any:
    call = litellm.acompletion(messages=messages("#slow=2"), **ANTHROPIC)
    return await cancelled(call, 0.8)


if __name__ == "__main__":
    run_all()
