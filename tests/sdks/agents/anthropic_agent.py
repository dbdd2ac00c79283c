"""Calls of the Anthropic SDK, as applications make them."""

from __future__ import annotations

import contextlib
from typing import Any

import anthropic
from anthropic import beta_tool
from cases import PROVIDERS, cancelled, case, messages, run_all

MODEL = "claude-sonnet-4-5"
KNOWN: Any = {"model": MODEL, "max_tokens": 100}
TOOL: Any = {"name": "get_weather", "input_schema": {"type": "object"}}
client = anthropic.Anthropic(base_url=PROVIDERS, api_key="none")


def async_client() -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=PROVIDERS, api_key="none")


def create(words: str = "", **more: Any) -> Any:
    return client.messages.create(messages=messages(words), **KNOWN, **more)


@case
def plain() -> Any:
    return create().content[0].text


@case
def with_search() -> Any:
    return create("#search").content[0].text


@case
def streamed() -> Any:
    return [event.type for event in create(stream=True)]


@case
def streamed_by_helper() -> Any:
    with client.messages.stream(messages=messages("#search"), **KNOWN) as stream:
        return stream.get_final_text()


@case
def raw() -> Any:
    answer = client.messages.with_raw_response.create(messages=messages(), **KNOWN)
    return answer.parse().content[0].text  # type: ignore[union-attr]


@case
def raw_streamed() -> Any:
    answer = client.messages.with_raw_response.create(
        messages=messages(), stream=True, **KNOWN
    )
    return [event.type for event in answer.parse()]


@case
def tools() -> Any:
    asked: list[Any] = messages("#tools")
    answer = client.messages.create(messages=asked, tools=[TOOL], **KNOWN)
    used = answer.content[0]
    result = {"type": "tool_result", "tool_use_id": used.id, "content": "rain"}
    asked += [
        {"role": "assistant", "content": answer.content},
        {"role": "user", "content": [result]},
    ]
    answer = client.messages.create(messages=asked, tools=[TOOL], **KNOWN)
    return answer.content[0].text


@case
def tool_runner() -> Any:
    @beta_tool
    def get_weather(city: str) -> str:
        """Look the weather up.

        Args:
            city: where
        """
        return f"rain in {city}"

    runner = client.beta.messages.tool_runner(
        messages=messages("#tools"), tools=[get_weather], **KNOWN
    )
    return [message.stop_reason for message in runner]


@case
def batch() -> Any:
    asked: Any = {"custom_id": "one", "params": {**KNOWN, "messages": messages()}}
    batch_id = client.messages.batches.create(requests=[asked]).id
    return [
        line.result.type
        for _ in range(2)
        for line in client.messages.batches.results(batch_id)
    ]


@case
def retried_429() -> Any:
    return create("#fail=429").content[0].text


@case
def retried_timeout() -> Any:
    patient = client.with_options(timeout=0.5)
    answer = patient.messages.create(messages=messages("#slow-once=1"), **KNOWN)
    return answer.content[0].text


@case
def refused() -> Any:
    with contextlib.suppress(anthropic.APIStatusError):
        client.with_options(max_retries=0).messages.create(
            messages=messages("#refuse=500"), **KNOWN
        )
    return "refused"


@case
def left_early() -> Any:
    asked = messages("#words=400 #pace=0.01")
    with client.messages.stream(messages=asked, **KNOWN) as stream:
        for _ in stream.text_stream:
            break
    return "left"


@case
def dropped() -> Any:
    stream = create("#words=400 #pace=0.01", stream=True)
    for _ in range(3):
        next(stream)
    del stream
    return "dropped"


@case
def cut() -> Any:
    with contextlib.suppress(Exception):
        for _ in create("#cut=1", stream=True):
            pass
    return "cut"


@case
def error_in_stream() -> Any:
    with contextlib.suppress(anthropic.APIError):
        for _ in create("#error=1", stream=True):
            pass
    return "failed"


@case
def counted_only() -> Any:
    return client.messages.count_tokens(messages=messages(), model=MODEL).input_tokens


@case
async def asynchronous() -> Any:
    answer = await async_client().messages.create(messages=messages(), **KNOWN)
    return answer.content[0].text  # type: ignore[union-attr]


@case
async def asynchronous_streamed() -> Any:
    async with async_client().messages.stream(messages=messages(), **KNOWN) as stream:
        return await stream.get_final_text()


@case
async def asynchronous_cancelled() -> Any:
    call = async_client().messages.create(messages=messages("#slow=2"), **KNOWN)
    return await cancelled(call, 0.4)


if __name__ == "__main__":
    run_all()
