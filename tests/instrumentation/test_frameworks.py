"""What frameworks know becomes tags."""

from __future__ import annotations

import asyncio
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph

from farthing import semconv
from farthing.instrumentation import step
from farthing.instrumentation.frameworks import langgraph
from tests.instrumentation.recording import Recording, recording


class State(TypedDict):
    """What the graph passes on."""

    text: str


def graph(seen: Recording) -> Any:
    """A graph of two nodes, each of which makes a span."""

    def plan(state: State) -> State:
        seen.tracer.start_span("in plan").end()
        return state

    def write(state: State) -> State:
        with step("said"):
            seen.tracer.start_span("in write").end()
        return state

    made = StateGraph(State)
    made.add_node("plan", plan)
    made.add_node("write", write)
    made.add_edge(START, "plan")
    made.add_edge("plan", "write")
    made.add_edge("write", END)
    return made.compile()


def test_a_node_of_langgraph_is_the_step() -> None:
    """A span within a node has the node's name as its step, sync and async; a step that
    code says wins."""
    for run in (
        lambda made: made.invoke({"text": ""}),
        lambda made: asyncio.run(made.ainvoke({"text": ""})),
    ):
        with recording() as seen:
            langgraph.install(seen.readers)
            run(graph(seen))
            seen.tracer.start_span("outside").end()
        assert seen.named("in plan") == {semconv.STEP_NAME: "plan"}
        assert seen.named("in write") == {semconv.STEP_NAME: "said"}
        assert seen.named("outside") == {}
