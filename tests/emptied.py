"""One ledger that tests have to themselves in turn: making another takes a second of
CPU, emptying it hundredths of one."""

from __future__ import annotations

from typing import Final

from farthing.collector.store.ledger import Ledger
from farthing.economics.prices import load_catalogue

_SCHEMA: Final = frozenset({"migrations"})
_PRICES: Final = frozenset({"catalogues", "prices", "price_ids", "tool_fees"})
_FILLED: Final = """
SELECT table, sum(rows) AS held FROM system.parts
WHERE database = currentDatabase() AND active
GROUP BY table
"""


def empty(ledger: Ledger) -> None:
    """Make it as it was when it was opened: no entry, the packaged prices alone."""
    held = {row["table"]: row["held"] for row in ledger.store.rows(_FILLED)}
    as_packaged = held["catalogues"] == 1
    for table in held.keys() - _SCHEMA - (_PRICES if as_packaged else set()):
        ledger.store.command(f"TRUNCATE TABLE {table}")
    if not as_packaged:
        ledger.use_prices(load_catalogue())
