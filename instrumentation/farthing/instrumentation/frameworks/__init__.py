"""What agent frameworks know of the work they do: one file per framework.

Each has `install(readers)`, called once the framework is imported: it adds a reader, or
wraps what runs a step. What code, a caller or the environment says goes before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Reader = Callable[[], Mapping[str, str]]
"""What a framework knows of the work that is done now: attributes by name."""
