"""What happens as an instrumented process starts, on one screen.

OpenTelemetry calls `before_instrumentors` when its SDK is set up, and
`after_instrumentors` when it has loaded what it loads at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from opentelemetry import propagate, trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.util._importlib_metadata import entry_points

from farthing.instrumentation import children, context, settings, threads
from farthing.instrumentation.calls import CallSettings, Observer
from farthing.instrumentation.distro import FarthingDistro
from farthing.instrumentation.families import GROUP
from farthing.instrumentation.flush import Flusher, Provider
from farthing.instrumentation.hosts import Surroundings
from farthing.instrumentation.isolate import attempt
from farthing.instrumentation.loading import Loader
from farthing.instrumentation.propagation import TagPropagator
from farthing.instrumentation.settings import Settings
from farthing.instrumentation.tagging import Reader, TagLogRecords, TagSpans

_readers: Final[list[Reader]] = []


def before_instrumentors() -> None:
    """Tag, carry on and flush."""
    found = _settings()
    if found.is_disabled:
        return
    attempt("set defaults", settings.set_defaults)
    attempt("look for misspelt variables", settings.tell_misspelt)
    surroundings = Surroundings()
    attempt("tag what is told", _tag, found, surroundings)
    attempt("adopt the parent's span", _adopt, found)
    attempt("carry tags to other services", _propagate, found, surroundings)
    attempt("carry tags into threads", _follow_threads, found)
    attempt("carry tags into child processes", children.install)
    attempt("flush at the end", _flush, found)


def after_instrumentors() -> None:
    """Wait for the libraries that make model calls."""
    found = _settings()
    if not found.is_disabled:
        attempt("wait for libraries", _watch, found)


@cache
def _settings() -> Settings:
    return attempt("read the environment", settings.read) or Settings()


def _tag(found: Settings, surroundings: Surroundings) -> None:
    context.set_process_tags(found.tags)
    tracers, loggers = trace.get_tracer_provider(), get_logger_provider()
    if isinstance(tracers, TracerProvider):
        tracers.add_span_processor(TagSpans(_readers, surroundings))
    if isinstance(loggers, LoggerProvider):
        loggers.add_log_record_processor(TagLogRecords(_readers))


def _adopt(found: Settings) -> None:
    if found.traceparent:
        children.adopt(found.traceparent, found.tracestate)


def _propagate(found: Settings, surroundings: Surroundings) -> None:
    ours = TagPropagator(surroundings, found.propagate_to)
    before = propagate.get_global_textmap()
    propagate.set_global_textmap(CompositePropagator([before, ours]))


def _follow_threads(found: Settings) -> None:
    """Unless the official package does."""
    names = {point.name for point in entry_points(group=GROUP)}
    if "threading" not in names - found.disabled:
        threads.install()


def _flush(found: Settings) -> None:
    providers: list[Provider] = [
        provider
        for provider in (trace.get_tracer_provider(), get_logger_provider())
        if isinstance(provider, TracerProvider | LoggerProvider)
    ]
    if providers:
        Flusher(providers, timeout_s=found.flush_timeout_s).install()


def _watch(found: Settings) -> None:
    Loader(
        disabled=found.disabled,
        observers=_observers,
        readers=_readers,
        is_distro=FarthingDistro.is_active,
        calls=CallSettings(include_usage=found.include_usage),
    ).watch()


@cache
def _observers() -> Sequence[Observer]:
    """Fingerprints and the guard, of which a process without model calls has none."""
    return attempt("observe model calls", _observe) or ()


def _observe() -> Sequence[Observer]:
    from farthing.instrumentation import observing

    return observing.observers(settings.environment())
