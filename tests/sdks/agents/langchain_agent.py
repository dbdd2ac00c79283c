"""Agents of LangChain and LangGraph."""

from __future__ import annotations

from typing import Any

from cases import PROVIDERS, case, prompt, run_all
from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

KEY: Any = "none"
openai = ChatOpenAI(model="gpt-5", base_url=f"{PROVIDERS}/v1", api_key=KEY)
anthropic = ChatAnthropic(
    model_name="claude-sonnet-4-5",
    base_url=PROVIDERS,
    api_key=KEY,
    timeout=10,
    stop=None,
)


@tool
def get_weather(city: str) -> str:
    """Look the weather up."""
    return f"rain in {city}"


@case
def openai_plain() -> Any:
    return openai.invoke(prompt()).content


@case
def openai_streamed() -> Any:
    return [part.content for part in openai.stream(prompt())]


@case
def openai_responses() -> Any:
    model = ChatOpenAI(
        model="gpt-5",
        base_url=f"{PROVIDERS}/v1",
        api_key=KEY,
        use_responses_api=True,
    )
    return model.invoke(prompt()).text


@case
def anthropic_plain() -> Any:
    return anthropic.invoke(prompt()).content


@case
def anthropic_streamed() -> Any:
    return len([part.content for part in anthropic.stream(prompt())])


@case
def openai_agent() -> Any:
    agent = create_agent(openai, tools=[get_weather], name="weather")
    asked: Any = {"messages": [{"role": "user", "content": prompt("#tools")}]}
    return agent.invoke(asked)["messages"][-1].content


@case
def anthropic_agent() -> Any:
    agent = create_agent(anthropic, tools=[get_weather], name="weather")
    asked: Any = {"messages": [{"role": "user", "content": prompt("#tools")}]}
    return agent.invoke(asked)["messages"][-1].content


class State(TypedDict):
    text: str


@case
def graph() -> Any:
    def think(_state: State) -> Any:
        return {"text": openai.invoke(prompt()).content}

    made = StateGraph(State).add_node("think", think)
    made.add_edge(START, "think").add_edge("think", END)
    return made.compile().invoke({"text": ""})["text"]


@case
def embeddings() -> Any:
    model = OpenAIEmbeddings(
        model="text-embedding-3-small",
        base_url=f"{PROVIDERS}/v1",
        api_key=KEY,
        check_embedding_ctx_length=False,
    )
    return len(model.embed_query(prompt()))


@case
async def asynchronous() -> Any:
    return (await openai.ainvoke(prompt())).content


@case
async def asynchronous_streamed() -> Any:
    return len([part async for part in anthropic.astream(prompt())])


if __name__ == "__main__":
    run_all()
