"""What happens as an instrumented process starts, on one screen.

OpenTelemetry calls `before_instrumentors` when its SDK is set up, and
`after_instrumentors` when it has loaded what it loads at once. Where the SDK is ours to
set up, that waits for the first span that may come, and so does what is added to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Final

from opentelemetry import propagate
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.util._importlib_metadata import entry_points

from farthing.instrumentation import children, context, settings, threads
from farthing.instrumentation.delay import Delayed
from farthing.instrumentation.distro import FarthingDistro
from farthing.instrumentation.families import GROUP
from farthing.instrumentation.flush import Flusher
from farthing.instrumentation.frameworks import Reader
from farthing.instrumentation.hosts import Surroundings
from farthing.instrumentation.isolate import attempt
from farthing.instrumentation.loading import Loader
from farthing.instrumentation.propagation import TagPropagator
from farthing.instrumentation.settings import Settings

if TYPE_CHECKING:
    from farthing.instrumentation.calls import CallSettings, Observer

_readers: Final[list[Reader]] = []


def before_instrumentors() -> None:
    """Tag, carry on and flush."""
    found = _settings()
    if found.is_disabled:
        return
    attempt("set defaults", settings.set_defaults)
    attempt("look for misspelt variables", settings.tell_misspelt)
    context.set_process_tags(found.tags)
    attempt("adopt the parent's span", _adopt, found)
    attempt("carry tags to other services", _propagate, found)
    attempt("carry tags into threads", _follow_threads, found)
    attempt("carry tags into child processes", children.install)
    attempt("wait for the first span", _wait)


def after_instrumentors() -> None:
    """Wait for the libraries that make model calls."""
    found = _settings()
    if not found.is_disabled:
        attempt("wait for libraries", _watch, found)


@cache
def _settings() -> Settings:
    return attempt("read the environment", settings.read) or Settings()


@cache
def _surroundings() -> Surroundings:
    return Surroundings()


@cache
def _sdk() -> Delayed:
    flusher = attempt("flush at the end", _flush, _settings())
    return Delayed(partial(_begin, flusher))


def _begin(flusher: Flusher | None) -> None:
    from farthing.instrumentation import sdk

    is_ours = FarthingDistro.is_configurator
    sdk.begin(_readers, _surroundings(), flusher, is_ours=is_ours)


def _wait() -> None:
    """Unless somebody else set the SDK up, or logs or metrics are to be exported."""
    if FarthingDistro.is_configurator and settings.exports_spans_alone():
        _sdk().wait()
    else:
        _sdk().now()


def _adopt(found: Settings) -> None:
    if found.traceparent:
        children.adopt(found.traceparent, found.tracestate)


def _propagate(found: Settings) -> None:
    ours = TagPropagator(_surroundings(), found.propagate_to)
    before = propagate.get_global_textmap()
    propagate.set_global_textmap(CompositePropagator([before, ours]))


def _follow_threads(found: Settings) -> None:
    """Unless the official package does."""
    names = {point.name for point in entry_points(group=GROUP)}
    if "threading" not in names - found.disabled:
        threads.install()


def _flush(found: Settings) -> Flusher:
    flusher = Flusher(timeout_s=found.flush_timeout_s)
    flusher.install()
    return flusher


def _watch(found: Settings) -> None:
    Loader(
        disabled=found.disabled,
        prepare=_sdk().now,
        observers=_observers,
        readers=_readers,
        is_distro=FarthingDistro.is_active,
        calls=_call_settings,
    ).watch()


@cache
def _call_settings() -> CallSettings:
    from farthing.instrumentation.calls import CallSettings

    return CallSettings(include_usage=_settings().include_usage)


@cache
def _observers() -> Sequence[Observer]:
    """Fingerprints and the guard, of which a process without model calls has none."""
    return attempt("observe model calls", _observe) or ()


def _observe() -> Sequence[Observer]:
    from farthing.instrumentation import observing

    return observing.observers(settings.environment())
