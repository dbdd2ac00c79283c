"""OpenAI Agents: the workflow's name is the type of the task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from farthing import semconv
from farthing.instrumentation.frameworks import Reader

_NO_NAMES: Final = frozenset({"", "Agent workflow", "no-op"})
"""What the SDK calls a workflow that nobody named."""


def install(readers: list[Reader]) -> None:
    """Read the name of the workflow from the SDK's current trace."""
    from agents.tracing import get_current_trace

    def workflow() -> Mapping[str, str]:
        trace = get_current_trace()
        name = trace.name if trace else ""
        return {} if name in _NO_NAMES else {semconv.TASK_TYPE: name}

    readers.append(workflow)
