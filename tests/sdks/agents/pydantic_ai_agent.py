"""Agents of pydantic-ai."""

from __future__ import annotations

from typing import Any

from cases import PROVIDERS, case, prompt, run_all
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider


def get_weather(city: str) -> str:
    """Look the weather up."""
    return f"rain in {city}"


def openai(kind: Any = OpenAIChatModel) -> Any:
    return kind(
        "gpt-5",
        provider=OpenAIProvider(base_url=f"{PROVIDERS}/v1", api_key="none"),
    )


def anthropic() -> Any:
    provider = AnthropicProvider(base_url=PROVIDERS, api_key="none")
    return AnthropicModel("claude-sonnet-4-5", provider=provider)


def agent(model: Any, **more: Any) -> Any:
    return Agent(model, name="weather", **more)


async def streamed(model: Any) -> list[str]:
    async with agent(model).run_stream(prompt()) as result:
        return [part async for part in result.stream_text(delta=True)]


@case
async def openai_plain() -> Any:
    return (await agent(openai()).run(prompt())).output


@case
async def openai_tools() -> Any:
    asked = agent(openai(), tools=[get_weather])
    return (await asked.run(prompt("#tools"))).output


@case
async def openai_streamed() -> Any:
    return len(await streamed(openai()))


@case
async def openai_responses() -> Any:
    return (await agent(openai(OpenAIResponsesModel)).run(prompt())).output


@case
async def anthropic_plain() -> Any:
    return (await agent(anthropic()).run(prompt())).output


@case
async def anthropic_tools() -> Any:
    asked = agent(anthropic(), tools=[get_weather])
    return (await asked.run(prompt("#tools"))).output


@case
async def anthropic_streamed() -> Any:
    return len(await streamed(anthropic()))


if __name__ == "__main__":
    run_all()
