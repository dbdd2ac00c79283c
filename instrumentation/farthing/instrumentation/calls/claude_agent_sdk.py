"""Claude Code, which its SDK starts as a program of its own: whose work it does is told
to it as resource attributes, which it puts on the spans that it sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from farthing.instrumentation.calls import CallSettings, Observer
from farthing.instrumentation.context import carried_tags
from farthing.instrumentation.settings import environment
from farthing.instrumentation.watching.quietly import quietly
from farthing.instrumentation.watching.wrap import wrap

TRIGGER: Final = "claude_agent_sdk"
"""The module after whose import `install` can be called."""

_ATTRIBUTES: Final = "OTEL_RESOURCE_ATTRIBUTES"


def install(
    _observers: Sequence[Observer], _settings: CallSettings | None = None
) -> None:
    """Wrap where the program is started."""
    transport = "_internal.transport.subprocess_cli.SubprocessCLITransport"
    wrap("claude_agent_sdk", f"{transport}.connect", _connect)


async def _connect(wrapped: Any, transport: Any, args: Any, kwargs: Any) -> Any:
    quietly(_tag, transport)
    return await wrapped(*args, **kwargs)


def _tag(transport: Any) -> None:
    options = transport._options  # noqa: SLF001
    known = {**environment(), **options.env}.get(_ATTRIBUTES, "")
    env = {**options.env, _ATTRIBUTES: _joined(known, carried_tags())}
    transport._options = replace(options, env=env)  # noqa: SLF001


def _joined(known: str, tags: Mapping[str, str]) -> str:
    """Resource attributes as the variable has them: tags win over what was said."""
    pairs = [pair for pair in known.split(",") if pair.partition("=")[0] not in tags]
    pairs += [f"{name}={quote(value)}" for name, value in tags.items()]
    return ",".join(filter(None, pairs))
