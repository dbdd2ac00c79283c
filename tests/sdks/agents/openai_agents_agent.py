"""An agent of OpenAI's Agents SDK."""

from __future__ import annotations

from typing import Any

import openai
from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner
from agents import function_tool as tool
from cases import PROVIDERS, case, prompt, run_all


def client() -> Any:
    return openai.AsyncOpenAI(base_url=f"{PROVIDERS}/v1", api_key="none")


@tool
def get_weather(city: str) -> str:
    """Look the weather up."""
    return f"rain in {city}"


def agent(kind: Any, **more: Any) -> Any:
    model = kind(model="gpt-5", openai_client=client())
    return Agent(name="weather", model=model, **more)


@case
async def plain() -> Any:
    return (await Runner.run(agent(OpenAIResponsesModel), prompt())).final_output


@case
async def tools() -> Any:
    asked = agent(OpenAIResponsesModel, tools=[get_weather])
    return (await Runner.run(asked, prompt("#tools"))).final_output


@case
async def streamed() -> Any:
    result = Runner.run_streamed(agent(OpenAIResponsesModel), prompt())
    async for _ in result.stream_events():
        pass
    return result.final_output


@case
async def chat_plain() -> Any:
    asked = agent(OpenAIChatCompletionsModel)
    return (await Runner.run(asked, prompt())).final_output


@case
async def chat_tools() -> Any:
    asked = agent(OpenAIChatCompletionsModel, tools=[get_weather])
    return (await Runner.run(asked, prompt("#tools"))).final_output


@case
async def chat_streamed() -> Any:
    result = Runner.run_streamed(agent(OpenAIChatCompletionsModel), prompt())
    async for _ in result.stream_events():
        pass
    return result.final_output


if __name__ == "__main__":
    run_all()
