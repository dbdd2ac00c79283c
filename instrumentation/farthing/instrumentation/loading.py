"""Instruments each library when it is imported, and not before."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.instrumentation.dependencies import (
    DependencyConflict,
    get_dist_dependency_conflicts,
)

from farthing.instrumentation import settings
from farthing.instrumentation.families import Choice, choose, package
from farthing.instrumentation.imports import once_imported
from farthing.instrumentation.isolate import attempt, tell
from farthing.instrumentation.libraries import LIBRARIES, Library

if TYPE_CHECKING:
    from farthing.instrumentation.calls import CallSettings, Observer
    from farthing.instrumentation.frameworks import Reader

_logger: Final = logging.getLogger("farthing")
_CALLS: Final = "farthing.instrumentation.calls"
_FRAMEWORKS: Final = "farthing.instrumentation.frameworks"


@dataclass(frozen=True)
class Loader:
    """Loads what a library needs, once its trigger is imported.

    `prepare` is called before any is loaded. `observers` makes those who hear of model
    calls, when the first library is there, and `calls` says how those are made;
    `readers` gain what a framework knows.
    `is_distro` is false where another distro loads the instrumentors: ours then only
    adds what is its own.
    """

    disabled: frozenset[str] = frozenset()
    observers: Callable[[], Sequence[Observer]] = tuple
    readers: list[Reader] = field(default_factory=list)
    is_distro: bool = True
    calls: Callable[[], CallSettings | None] = lambda: None
    prepare: Callable[[], object] = lambda: None

    def watch(self) -> None:
        """Wait for every library that is not disabled."""
        for library in LIBRARIES:
            if not library.is_disabled(self.disabled):
                load = partial(self._load_imported, library)
                once_imported(library.trigger, "instrument a library", load)

    def _load_imported(self, library: Library, module: object) -> None:
        del module
        self.load(library)

    def load(self, library: Library) -> None:
        """Instrument `library`; what fails is told and does not stop the rest."""
        self.prepare()
        if self.is_distro:
            attempt("choose an instrumentor", self._instrument, library)
        for family, name in (_CALLS, library.ours), (_FRAMEWORKS, library.framework):
            try:
                self._install(family, name)
            except Exception as error:  # noqa: BLE001 - one must not stop the next
                tell(f"add to the instrumentation of {library.name}", error)

    def _instrument(self, library: Library) -> None:
        choice = choose(library)
        _say_left_out(library, choice)
        if choice.used is not None:
            try:
                instrument(library, choice.used)
            except Exception as error:  # noqa: BLE001 - one must not stop the next
                tell(f"instrument {library.name} with {package(choice.used)}", error)

    def _install(self, family: str, name: str) -> None:
        module = f"{family}.{name}"
        if not name or find_spec(module) is None:
            return
        if family == _CALLS:
            import_module(module).install(self.observers(), self.calls())
        else:
            import_module(module).install(self.readers)


def instrument(library: Library, point: EntryPoint) -> None:
    """Instrument `library` by `point`, if it is a release that can be."""
    reason = unfit(library, point)
    if reason:
        _logger.warning("farthing: %s is not instrumented: %s", library.name, reason)
        return
    point.load()().instrument(skip_dep_check=True, **_hook(library))


def _hook(library: Library) -> dict[str, object]:
    """The completion hook that sees messages and tools where our own wrappers do not.

    With a hook the official packages turn whole conversations into objects at each
    call, so it is not used where it can be done without, nor where the user chose one.
    """
    if not library.framework and has_our_calls(library):
        return {}
    if settings.environment().get("OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK"):
        return {}
    from farthing.instrumentation.fingerprints.hook import hook_of_the_process

    return {"completion_hook": hook_of_the_process()}


def unfit(library: Library, point: EntryPoint) -> str:
    """Why the installed release of `library` cannot be instrumented by `point`; "" if
    it can, be it because all that is wrapped is there."""
    conflict = conflict_of(point)
    if conflict is None:
        return ""
    if not library.must_have:
        return str(conflict)
    missing = [name for name in library.must_have if not _exists(name)]
    return f"it has no {', '.join(missing)} ({conflict})" if missing else ""


def conflict_of(point: EntryPoint) -> DependencyConflict | None:
    """What `point`'s package asks of the library and does not find."""
    return get_dist_dependency_conflicts(point.dist) if point.dist else None


def has_our_calls(library: Library) -> bool:
    """Whether we watch the library's calls ourselves."""
    return bool(library.ours) and find_spec(f"{_CALLS}.{library.ours}") is not None


def _exists(name: str) -> bool:
    module, _, attribute = name.partition(":")
    try:
        attrgetter(attribute)(import_module(module))
    except (ImportError, AttributeError):
        return False
    return True


def _say_left_out(library: Library, choice: Choice) -> None:
    if choice.used is not None and choice.left_out:
        _logger.warning(
            "farthing: %s is instrumented by %s; %s is left out, or each call would"
            " count twice",
            library.name,
            package(choice.used),
            ", ".join(package(point) for point in choice.left_out),
        )


def log_quietly(names: frozenset[str]) -> logging.Filter:
    """A filter of what the loader of OpenTelemetry says of instrumentors that we load
    ourselves: that they do not fit, although they may."""

    class Quiet(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            text: Any = record.msg
            return not any(str(text).startswith(f"{name} ") for name in names)

    return Quiet()
