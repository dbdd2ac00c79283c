"""A fleet of runs in a ledger, made by the engine; anomalies known by construction.

Runs of each of eight task types cost what they cost, log-normally; those of every
hundredth cost four to twelve times as much. Costs drift upwards by 40 % over the time,
and some calls have no price.
"""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files
from typing import Final

from farthing.collector.store.client import Store
from farthing.collector.store.text import fill

SIGMA: Final = 0.3
"""Of the logarithm of what healthy runs cost: one in 4,000 is above 3x the median."""
_CHUNK: Final = 25_000

_IS_DEAR: Final = "sipHash64({n}, 'is dear') % 100 = 0"


def fill_fleet(store: Store, *, runs: int, days: int, until: datetime) -> None:
    """Put the runs into the ledger of `store`, which has its tables."""
    sql = (files(__package__) / "fleet.sql").read_text(encoding="utf-8")
    for first in range(0, runs, _CHUNK):
        values = {
            "until_s": str(int(until.timestamp())),
            "days": str(days),
            "runs": str(runs),
            "sigma": str(SIGMA),
            "is_dear": _IS_DEAR.format(n="n"),
            "first": str(first),
            "count": str(min(_CHUNK, runs - first)),
        }
        store.command(fill(sql, values))


def dear_runs(store: Store, *, runs: int) -> set[str]:
    """The runs that cost a multiple, by construction."""
    is_dear = _IS_DEAR.format(n="number")
    rows = store.rows(f"SELECT number AS n FROM numbers({runs:d}) WHERE {is_dear}")
    return {f"run-{row['n']}" for row in rows}
