"""OpenTelemetry's distro of the name `farthing`: loads each instrumentor lazily."""

from __future__ import annotations

import logging
from importlib.metadata import EntryPoint
from typing import Any, Final

from opentelemetry.instrumentation.distro import (  # type: ignore[attr-defined]
    BaseDistro,
)
from opentelemetry.util._importlib_metadata import entry_points

from farthing.instrumentation import settings
from farthing.instrumentation.families import package
from farthing.instrumentation.isolate import attempt, tell
from farthing.instrumentation.libraries import BY_ENTRY_POINT
from farthing.instrumentation.loading import log_quietly

_logger: Final = logging.getLogger("farthing")
_LOADER: Final = "opentelemetry.instrumentation.auto_instrumentation._load"


class FarthingDistro(BaseDistro):  # type: ignore[misc]
    """Sets defaults, and loads what is not about models at once but in isolation."""

    is_active = False
    is_configurator = False
    """Whether the SDK is ours to set up, when the first span may come."""

    def _configure(self, **kwargs: Any) -> None:
        del kwargs
        FarthingDistro.is_active = True
        attempt("set defaults", settings.set_defaults)
        attempt("quieten the loader", self._quieten)
        FarthingDistro.is_configurator = not entry_points(
            group="opentelemetry_configurator"
        )

    def load_instrumentor(self, entry_point: EntryPoint, **kwargs: Any) -> None:
        """Load one that is not ours to load lazily; never raises."""
        if entry_point.name in BY_ENTRY_POINT:
            return
        try:
            entry_point.load()().instrument(**kwargs)
        except ModuleNotFoundError as error:  # of a library that is not installed
            _logger.debug("farthing: %s is not loaded: %s", entry_point.name, error)
        except Exception as error:  # noqa: BLE001 - one must not stop the next
            tell(f"load {entry_point.name} of {package(entry_point)}", error)

    def _quieten(self) -> None:
        names = frozenset(BY_ENTRY_POINT)
        logging.getLogger(_LOADER).addFilter(log_quietly(names))
