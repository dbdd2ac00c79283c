"""One model call is counted once, however many spans tell of it.

After each load, `Settler` looks for entries that tell of a call that the ledger knows
already, decides which of them owns it, and writes corrections. `docs/counted-once.md`
tells the rules.
"""

from __future__ import annotations

from farthing.collector.settle.settler import Settler

__all__ = ["Settler"]
