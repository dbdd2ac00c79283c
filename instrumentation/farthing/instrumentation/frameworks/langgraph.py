"""LangGraph: the node that runs is the step."""

from __future__ import annotations

from collections.abc import Mapping

from farthing import semconv
from farthing.instrumentation.frameworks import Reader


def install(readers: list[Reader]) -> None:
    """Read the node of the graph from what LangChain knows of the current call."""
    from langchain_core.runnables.config import (
        var_child_runnable_config,
    )

    def node() -> Mapping[str, str]:
        config = var_child_runnable_config.get()
        name = ((config or {}).get("metadata") or {}).get("langgraph_node")
        return {semconv.STEP_NAME: str(name)} if name else {}

    readers.append(node)
