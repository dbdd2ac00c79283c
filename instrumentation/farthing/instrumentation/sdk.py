"""OpenTelemetry's SDK, with what is ours in it; imported for the first span."""

from __future__ import annotations

from typing import Any

from opentelemetry import trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.instrumentation.version import __version__
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import TracerProvider

from farthing.instrumentation.flush import Flusher
from farthing.instrumentation.frameworks import Reader
from farthing.instrumentation.hosts import Surroundings
from farthing.instrumentation.isolate import attempt
from farthing.instrumentation.tagging import TagLogRecords, TagSpans


def begin(
    readers: list[Reader],
    surroundings: Surroundings,
    flusher: Flusher | None,
    *,
    is_ours: bool,
) -> None:
    """Set it up where that `is_ours` to do, tag what is told, and flush at the end."""
    if is_ours:
        attempt("set OpenTelemetry up", _configure)
    attempt("tag what is told", _tag, readers, surroundings)
    if flusher is not None:
        attempt("send what waits at the end", _flush, flusher)


def _configure() -> None:
    """What opentelemetry-distro's configurator does, where that is not installed."""
    from opentelemetry.sdk._configuration import (
        _OTelSDKConfigurator,
    )

    sdk: Any = _OTelSDKConfigurator
    sdk().configure(auto_instrumentation_version=__version__)


def _tag(readers: list[Reader], surroundings: Surroundings) -> None:
    tracers, loggers = trace.get_tracer_provider(), get_logger_provider()
    if isinstance(tracers, TracerProvider):
        tracers.add_span_processor(TagSpans(readers, surroundings))
    if isinstance(loggers, LoggerProvider):
        loggers.add_log_record_processor(TagLogRecords(readers))


def _flush(flusher: Flusher) -> None:
    providers = (trace.get_tracer_provider(), get_logger_provider())
    flusher.take(
        [one for one in providers if isinstance(one, TracerProvider | LoggerProvider)]
    )
