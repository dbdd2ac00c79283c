"""Re-pricing: what today's price book says of calls that are in the ledger.

`preview` shows what would change, `reprice` writes it down as corrections. Nothing else
ever moves the price of an entry. `docs/reprice.md` tells the rules.
"""

from __future__ import annotations

from farthing.collector.reprice.plan import Change, Outlook, Scope, preview
from farthing.collector.reprice.write import Journal, reprice, resume

__all__ = ["Change", "Journal", "Outlook", "Scope", "preview", "reprice", "resume"]
