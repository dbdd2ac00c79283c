"""MCP's SDK: a span for each tool that a client calls.

Its own spans say the tool's name on the server's side only, and servers are programs of
others. Spans of a framework or a server for the same call are made one by the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from farthing.instrumentation.calls import CallSettings, Observer
from farthing.instrumentation.hosts import OPERATION
from farthing.instrumentation.watching.quietly import quietly, say_once
from farthing.instrumentation.watching.reading import get
from farthing.instrumentation.watching.spans import SCOPE, inside
from farthing.instrumentation.watching.wrap import wrap

TRIGGER: Final = "mcp"
"""The module after whose import `install` can be called."""


def install(
    _observers: Sequence[Observer], _settings: CallSettings | None = None
) -> None:
    """Wrap how clients call tools."""
    wrap("mcp", "client.session.ClientSession.call_tool", _call)


async def _call(wrapped: Any, _session: Any, args: Any, kwargs: Any) -> Any:
    span = _started(args[0] if args else kwargs.get("name"))
    try:
        with inside(span):
            result = await wrapped(*args, **kwargs)
    except BaseException as error:
        quietly(_end, span, type(error).__name__)
        raise
    is_error = get(result, "isError") or get(result, "is_error")
    quietly(_end, span, "tool_error" if is_error else "")
    return result


def _started(name: object) -> Span | None:
    try:
        return trace.get_tracer(f"{SCOPE}.mcp").start_span(
            f"execute_tool {name}",
            kind=SpanKind.INTERNAL,
            attributes={
                OPERATION: "execute_tool",
                "gen_ai.tool.name": str(name),
                "gen_ai.tool.type": "extension",
                "mcp.method.name": "tools/call",
            },
        )
    except Exception as error:  # noqa: BLE001 - it must not reach the agent
        say_once(_started, error)
        return None


def _end(span: Span | None, error: str) -> None:
    if span is None:
        return
    if error:
        span.set_attribute("error.type", error)
        span.set_status(Status(StatusCode.ERROR))
    span.end()
