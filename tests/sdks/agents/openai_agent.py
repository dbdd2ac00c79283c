"""Calls of the OpenAI SDK, as applications make them."""

from __future__ import annotations

import contextlib
from typing import Any

import openai
from cases import PROVIDERS, cancelled, case, messages, prompt, run_all

MODEL = "gpt-5"
client = openai.OpenAI(base_url=f"{PROVIDERS}/v1", api_key="none")
TOOL: Any = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object"}},
}


def async_client() -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{PROVIDERS}/v1", api_key="none")


def chat(words: str = "", **more: Any) -> Any:
    return client.chat.completions.create(model=MODEL, messages=messages(words), **more)


def shape(chunks: Any) -> list[Any]:
    """What an application can see of a stream."""
    return [
        [len(chunk.choices), chunk.usage is not None, _said(chunk)] for chunk in chunks
    ]


def _said(chunk: Any) -> str:
    return (chunk.choices[0].delta.content or "") if chunk.choices else ""


@case
def plain() -> Any:
    return chat().choices[0].message.content


@case
def streamed() -> Any:
    return shape(chat(stream=True))


@case
def streamed_with_usage() -> Any:
    return shape(chat(stream=True, stream_options={"include_usage": True}))


@case
def streamed_until_the_last_word() -> Any:
    words = []
    for chunk in chat(stream=True):
        words.append(_said(chunk))
        if chunk.choices[0].finish_reason:
            break
    return words


@case
def streamed_by_helper() -> Any:
    with client.chat.completions.stream(model=MODEL, messages=messages()) as stream:
        return [event.type for event in stream]


@case
def raw() -> Any:
    answer = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=messages()
    )
    return answer.parse().choices[0].message.content


@case
def raw_streamed() -> Any:
    answer = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=messages(), stream=True
    )
    return shape(answer.parse())


@case
def structured() -> Any:
    return client.chat.completions.parse(model=MODEL, messages=messages()).object


@case
def tools() -> Any:
    asked: list[Any] = messages("#tools")
    answer = client.chat.completions.create(model=MODEL, messages=asked, tools=[TOOL])
    call = answer.choices[0].message.tool_calls[0]  # type: ignore[index]
    asked += [
        answer.choices[0].message,
        {"role": "tool", "tool_call_id": call.id, "content": "rain"},
    ]
    answer = client.chat.completions.create(model=MODEL, messages=asked, tools=[TOOL])
    return answer.choices[0].message.content


@case
def streamed_tools() -> Any:
    return shape(chat("#tools", tools=[TOOL], stream=True))


@case
def retried_429() -> Any:
    return chat("#fail=429").choices[0].message.content


@case
def retried_500() -> Any:
    return chat("#fail=500").choices[0].message.content


@case
def retried_timeout() -> Any:
    patient = client.with_options(timeout=0.5)
    answer = patient.chat.completions.create(
        model=MODEL, messages=messages("#slow-once=1")
    )
    return answer.choices[0].message.content


@case
def refused() -> Any:
    with contextlib.suppress(openai.APIStatusError):
        client.with_options(max_retries=0).chat.completions.create(
            model=MODEL, messages=messages("#refuse=500")
        )
    return "refused"


@case
def left_early() -> Any:
    with chat("#words=400 #pace=0.01", stream=True) as stream:
        for chunk in stream:
            if _said(chunk):
                break
    return "left"


@case
def dropped() -> Any:
    stream = chat("#words=400 #pace=0.01", stream=True)
    next(stream)
    next(stream)
    del stream
    return "dropped"


@case
def dropped_unread() -> Any:
    chat("#words=400 #pace=0.01", stream=True)
    return "dropped"


@case
def cut() -> Any:
    with contextlib.suppress(openai.APIConnectionError):
        for _ in chat("#cut=1", stream=True):
            pass
    return "cut"


@case
def error_in_stream() -> Any:
    with contextlib.suppress(openai.APIError):
        for _ in chat("#error=1", stream=True):
            pass
    return "failed"


@case
def responses() -> Any:
    return client.responses.create(model=MODEL, input=prompt()).output_text


@case
def responses_with_search() -> Any:
    return client.responses.create(model=MODEL, input=prompt("#search")).output_text


@case
def responses_streamed() -> Any:
    events = client.responses.create(model=MODEL, input=prompt(), stream=True)
    return [event.type for event in events]


@case
def responses_by_helper() -> Any:
    with client.responses.stream(model=MODEL, input=prompt()) as stream:
        return stream.get_final_response().output_text


@case
def responses_left_early() -> Any:
    asked = prompt("#words=400 #pace=0.01")
    with client.responses.create(model=MODEL, input=asked, stream=True) as stream:
        next(stream)
    return "left"


@case
def background() -> Any:
    response = client.responses.create(model=MODEL, input=prompt(), background=True)
    later = [client.responses.retrieve(response.id).status for _ in range(3)]
    return [response.status, *later]


@case
def embeddings() -> Any:
    answer = client.embeddings.create(model="text-embedding-3-small", input=prompt())
    return len(answer.data)


@case
async def asynchronous() -> Any:
    answer = await async_client().chat.completions.create(
        model=MODEL, messages=messages()
    )
    return answer.choices[0].message.content


@case
async def asynchronous_streamed() -> Any:
    stream = await async_client().chat.completions.create(
        model=MODEL, messages=messages(), stream=True
    )
    return shape([chunk async for chunk in stream])


@case
async def dropped_unread_by_a_task() -> Any:
    await async_client().chat.completions.create(
        model=MODEL, messages=messages("#words=400 #pace=0.01"), stream=True
    )
    return "dropped"


@case
async def asynchronous_cancelled() -> Any:
    call = async_client().chat.completions.create(
        model=MODEL, messages=messages("#slow=2")
    )
    return await cancelled(call, 0.4)


@case
async def asynchronous_cancelled_stream() -> Any:
    async def read() -> None:
        stream = await async_client().chat.completions.create(
            model=MODEL, messages=messages("#words=100 #pace=0.05"), stream=True
        )
        async for _ in stream:
            pass

    return await cancelled(read(), 0.5)


if __name__ == "__main__":
    run_all()
