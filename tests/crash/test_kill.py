"""What was acknowledged survives `kill -9`, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.crash.rounds import rounds

if TYPE_CHECKING:
    from pathlib import Path


def test_kill_under_load(tmp_path: Path) -> None:
    """In 20 rounds of kill -9 under load nothing acknowledged is lost or counted
    twice, and the roll-ups add up to the ledger."""
    done = rounds(20, folder=tmp_path)
    assert [one for one in done if not one.balances] == []
    # Or the rounds would have shown nothing: requests were under way at the kill.
    assert sum(one.acknowledged for one in done) > 0
    assert sum(one.sent.resent for one in done) > 0
