"""What was acknowledged survives `kill -9`, once: alone, and in the midst of worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.crash.rounds import Round, rounds
from benchmarks.crash.scenes import CannotMount, full_disk, killed, store_away

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def test_kill_under_load(tmp_path: Path) -> None:
    """In 20 rounds of kill -9 under load nothing acknowledged is lost or counted
    twice, and the roll-ups add up to the ledger."""
    with killed(tmp_path) as scene:
        check(rounds(20, scene))


def test_kill_while_the_store_is_away(tmp_path: Path) -> None:
    """Nor where the ClickHouse server is killed, the collector while the spool fills,
    and both while it is emptied."""
    with store_away(tmp_path, away_s=3) as scene:
        check(rounds(1, scene))


def test_kill_on_a_full_disk(tmp_path: Path) -> None:
    """Nor where the disk fills up, and the collector is killed and started on it:
    senders are told to retry until there is room."""
    try:
        with full_disk(tmp_path) as scene:
            done = rounds(2, scene)
    except CannotMount as error:
        pytest.skip(str(error))
    check(done)
    assert sum(one.sent.refused for one in done) > 0


def check(done: Sequence[Round]) -> None:
    """All balance, and they show something: requests were under way at the kill."""
    assert [one for one in done if not one.balances] == []
    assert sum(one.acknowledged for one in done) > 0
    assert sum(one.sent.resent for one in done) > 0
