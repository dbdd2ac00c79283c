"""Makes ours the distro, where several are installed and none was chosen.

Loaded by `opentelemetry-instrument` among the modules that name environment variables:
the last moment before it starts the program, and early enough for its children.
"""

from __future__ import annotations

from opentelemetry.util._importlib_metadata import entry_points

from farthing.instrumentation import settings
from farthing.instrumentation.isolate import attempt


def choose_distro() -> None:
    """Choose ours unless a third one is there: then the user must."""
    names = frozenset(
        point.name for point in entry_points(group="opentelemetry_distro")
    )
    settings.choose_distro(names)


attempt("choose the distro", choose_distro)
