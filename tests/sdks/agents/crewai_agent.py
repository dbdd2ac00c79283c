"""A crew of CrewAI."""

from __future__ import annotations

import os
from typing import Any

os.environ["CREWAI_DISABLE_TELEMETRY"] = "true"
os.environ["CREWAI_TRACING_ENABLED"] = "false"

from cases import PROVIDERS, case, prompt, run_all
from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool

MODELS: Any = {
    "openai": {"model": "openai/gpt-5", "base_url": f"{PROVIDERS}/v1"},
    "anthropic": {"model": "anthropic/claude-sonnet-4-5", "base_url": PROVIDERS},
}


@tool("get_weather")
def get_weather(city: str) -> str:
    """Look the weather up."""
    return f"rain in {city}"


def crew(words: str = "", model: str = "openai", **more: Any) -> str:
    llm = LLM(**MODELS[model], api_key="none", **more)
    agent = Agent(
        role="forecaster", goal="g", backstory="b", llm=llm, tools=[get_weather]
    )
    task = Task(description=prompt(words), expected_output="text", agent=agent)
    return str(Crew(agents=[agent], tasks=[task]).kickoff())


@case
def plain() -> Any:
    return crew()


@case
def tools() -> Any:
    return crew("#tools")


@case
def streamed() -> Any:
    return crew(stream=True)


@case
def anthropic_plain() -> Any:
    return crew(model="anthropic")


@case
def anthropic_tools() -> Any:
    return crew("#tools", model="anthropic")


if __name__ == "__main__":
    run_all()
