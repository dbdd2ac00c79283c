"""Calls of Google's GenAI SDK, as applications make them."""

from __future__ import annotations

import contextlib
from typing import Any

from cases import PROVIDERS, cancelled, case, prompt, run_all
from google import genai
from google.genai import errors, types

MODEL = "gemini-2.5-flash"


def made(**options: Any) -> genai.Client:
    http = types.HttpOptions(base_url=PROVIDERS, **options)
    return genai.Client(api_key="none", http_options=http)


client = made()


def get_weather(city: str) -> str:
    """Look the weather up."""
    return f"rain in {city}"


@case
def plain() -> Any:
    return client.models.generate_content(model=MODEL, contents=prompt()).text


@case
def streamed() -> Any:
    parts = client.models.generate_content_stream(model=MODEL, contents=prompt())
    return [part.text for part in parts]


@case
def tools_run_by_the_sdk() -> Any:
    config = types.GenerateContentConfig(tools=[get_weather])
    answer = client.models.generate_content(
        model=MODEL, contents=prompt("#tools"), config=config
    )
    return answer.text


@case
def chat() -> Any:
    talk = client.chats.create(model=MODEL)
    return [talk.send_message(prompt()).text for _ in range(2)]


@case
def retried_429() -> Any:
    retries = types.HttpRetryOptions(attempts=3, initial_delay=0.01)
    patient = made(retry_options=retries)
    answer = patient.models.generate_content(model=MODEL, contents=prompt("#fail=429"))
    return answer.text


@case
def refused() -> Any:
    with contextlib.suppress(errors.APIError):
        client.models.generate_content(model=MODEL, contents=prompt("#refuse=400"))
    return "refused"


@case
def left_early() -> Any:
    asked = prompt("#words=400 #pace=0.01")
    parts = client.models.generate_content_stream(model=MODEL, contents=asked)
    for _ in parts:
        break
    parts.close()  # type: ignore[attr-defined]
    return "left"


@case
def embeddings() -> Any:
    answer = client.models.embed_content(
        model="gemini-embedding-001", contents=prompt()
    )
    return len(answer.embeddings or ())


@case
async def asynchronous() -> Any:
    answer = await made().aio.models.generate_content(model=MODEL, contents=prompt())
    return answer.text


@case
async def asynchronous_streamed() -> Any:
    parts = await made().aio.models.generate_content_stream(
        model=MODEL, contents=prompt()
    )
    return [part.text async for part in parts]


@case
async def asynchronous_cancelled() -> Any:
    call = made().aio.models.generate_content(model=MODEL, contents=prompt("#slow=2"))
    return await cancelled(call, 0.5)


if __name__ == "__main__":
    run_all()
