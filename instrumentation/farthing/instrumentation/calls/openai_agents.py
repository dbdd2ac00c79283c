"""OpenAI's Agents SDK: the model's id of a tool call, on the span of the tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from opentelemetry import trace

from farthing.instrumentation.calls import CallSettings, Observer
from farthing.instrumentation.hosts import OPERATION
from farthing.instrumentation.watching.quietly import quietly
from farthing.instrumentation.watching.wrap import wrap

TRIGGER: Final = "agents"
"""The module after whose import `install` can be called."""

_CALL_ID: Final = "gen_ai.tool.call.id"


def install(
    _observers: Sequence[Observer], _settings: CallSettings | None = None
) -> None:
    """Wrap where a tool's context is made: inside its span. Its models are asked
    through SDKs that are watched themselves."""
    wrap("agents", "tool_context.ToolContext.from_agent_context", _made)


def _made(wrapped: Any, _cls: Any, args: Any, kwargs: Any) -> Any:
    made = wrapped(*args, **kwargs)
    quietly(_tell, args[1] if len(args) > 1 else kwargs.get("tool_call_id"))
    return made


def _tell(call_id: object) -> None:
    """Unless the official instrumentation has come to tell it."""
    span = trace.get_current_span()
    said: Mapping[str, object] = getattr(span, "attributes", None) or {}
    if said.get(OPERATION) == "execute_tool" and _CALL_ID not in said and call_id:
        span.set_attribute(_CALL_ID, str(call_id))
