"""The embedded engine as a module, without what only others use of it."""

from __future__ import annotations

import sys
from importlib import import_module

_UNUSED = "pyarrow"


def import_engine() -> None:
    """Import chdb's connections, but not pyarrow with them.

    chdb's requirements install pyarrow, for Arrow's formats alone, which nothing here
    asks for; where it is missing chdb does without. It takes 50 MB and 0.1 s.
    """
    if _UNUSED in sys.modules:
        import_module("chdb.state")
        return
    sys.modules[_UNUSED] = None  # type: ignore[assignment]
    try:
        import_module("chdb.state")
    finally:
        del sys.modules[_UNUSED]
