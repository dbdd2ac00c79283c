"""What came of a case, in words that the table of docs/sdks.md counts."""

from __future__ import annotations

from typing import Any, Final

from tests.sdks.running import Case, Tried

EXACT: Final = "exact"
"""Every call and token that was billed, and nothing else."""
LOWER_BOUND: Final = "lower bound"
"""Every call; of some the usage was never told, and the ledger says so."""
NOT_BILLED: Final = "not billed"
"""No call in the ledger, as none was billed."""


LIFETIME_ASSUMED: Final = "lifetime assumed"
"""Exact, but for the lifetime of cache writes, which was not told; it says so."""


def outcome(case: Case) -> str:
    """One of the words above, or what differs from the bill."""
    wrong = case.differences()
    if wrong:
        told = (f"{name} {pair}" for name, pair in sorted(wrong.items()))
        return f"differs: {', '.join(told)}"
    if not case.billed:
        return NOT_BILLED
    if case.is_lifetime_assumed:
        return LIFETIME_ASSUMED
    return EXACT if len(case.told) == len(case.billed) else LOWER_BOUND


def outcomes(tried: Tried) -> dict[str, Any]:
    """Case -> outcome, and how many tool spans the ledger has of it."""
    return {
        name: {"outcome": outcome(case), "tool_calls": case.tool_calls}
        for name, case in tried.cases.items()
    }
