"""CrewAI, whose tools nobody else tells of: a span for each that was used."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from farthing.instrumentation.calls import CallSettings, Observer
from farthing.instrumentation.hosts import OPERATION
from farthing.instrumentation.watching.quietly import quietly
from farthing.instrumentation.watching.reading import get, text
from farthing.instrumentation.watching.spans import SCOPE
from farthing.instrumentation.watching.wrap import wrap

TRIGGER: Final = "crewai"
"""The module after whose import `install` can be called."""

_ENDED: Final = frozenset({"tool_usage_finished", "tool_usage_error"})
_NS: Final = 1_000_000_000


def install(
    _observers: Sequence[Observer], _settings: CallSettings | None = None
) -> None:
    """Listen to the event bus, where what is told is told in the agent's own context.
    Its models are asked through SDKs that are watched themselves."""
    wrap("crewai", "events.event_bus.CrewAIEventsBus.emit", _emit)


def _emit(wrapped: Any, _bus: Any, args: Any, kwargs: Any) -> Any:
    event = args[1] if len(args) > 1 else kwargs.get("event")
    if text(event, "type") in _ENDED:
        quietly(_tell, event)
    return wrapped(*args, **kwargs)


def _tell(event: Any) -> None:
    name = text(event, "tool_name")
    said = {OPERATION: "execute_tool", "gen_ai.tool.type": "function"}
    said["gen_ai.tool.name"] = name
    agent = text(event, "agent_role").strip()
    if agent:
        said["gen_ai.agent.name"] = agent
    span = trace.get_tracer(f"{SCOPE}.crewai").start_span(
        f"execute_tool {name}",
        attributes=said,
        start_time=_ns(get(event, "started_at")),
    )
    failure = get(event, "error") or get(event, "failure")
    if failure:
        kind = type(failure).__name__ if isinstance(failure, Exception) else "error"
        span.set_attribute("error.type", kind)
        span.set_status(Status(StatusCode.ERROR))
    span.end(_ns(get(event, "finished_at")))


def _ns(at: object) -> int:
    """Nanoseconds since the epoch of a time, which CrewAI tells as local; else now."""
    return int(at.timestamp() * _NS) if isinstance(at, datetime) else time.time_ns()
