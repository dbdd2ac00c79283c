"""A crash round tells a ledger that balances from one that does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.crash.rounds import Round, Sums
from benchmarks.crash.sender import Acknowledged

SUMS = Sums(spans=96, calls=64, prompt_tokens=5_000_000)
GOOD = Round(
    number=0,
    sent=Acknowledged(spans=96, calls=64, prompt_tokens=5_000_000, resent=2),
    rows=96,
    unique=96,
    ledger=SUMS,
    runs=SUMS,
    hours=SUMS,
)


def test_good_round_balances() -> None:
    """Every acknowledged span once, all sums equal: the books balance."""
    assert GOOD.balances


@pytest.mark.parametrize(
    ("rows", "unique", "lost", "doubled"), [(64, 64, 32, 0), (128, 96, 0, 32)]
)
def test_lost_and_doubled_spans_show(
    rows: int, unique: int, lost: int, doubled: int
) -> None:
    """A span that is missing is lost, a row too many is counted twice."""
    bad = replace(GOOD, rows=rows, unique=unique)
    assert (bad.lost, bad.doubled) == (lost, doubled)
    assert not bad.balances


OTHER = replace(SUMS, prompt_tokens=SUMS.prompt_tokens + 1)


@pytest.mark.parametrize(
    "bad",
    [
        replace(GOOD, ledger=OTHER),
        replace(GOOD, runs=OTHER),
        replace(GOOD, hours=OTHER),
    ],
)
def test_sums_that_differ_show(bad: Round) -> None:
    """A table whose sums are not those of what was sent does not balance."""
    assert not bad.balances
