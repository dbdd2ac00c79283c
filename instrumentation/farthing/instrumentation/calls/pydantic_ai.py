"""pydantic-ai, which has spans of its own for who asks for them in code: they are asked
for here, without what people wrote."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from farthing.instrumentation.calls import CallSettings, Observer

TRIGGER: Final = "pydantic_ai"
"""The module after whose import `install` can be called."""

_WITHOUT: Final = (
    "include_content",
    "include_binary_content",
    "include_model_request_parameters",
)


def install(
    _observers: Sequence[Observer], _settings: CallSettings | None = None
) -> None:
    """Instrument all agents, unless the application has said how. Its models are asked
    through SDKs that are watched themselves."""
    agent = import_module("pydantic_ai").Agent
    if getattr(agent, "_instrument_default", None):
        return
    settings = import_module("pydantic_ai.models.instrumented").InstrumentationSettings
    known = inspect.signature(settings).parameters
    agent.instrument_all(
        settings(**{name: False for name in _WITHOUT if name in known})
    )
