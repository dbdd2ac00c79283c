"""Brackets: a statement that the tree tells with fewer of them stays the same one."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.conftest import Wire


@dataclass(frozen=True)
class Sum:
    """An expression as it is written, and what it comes to."""

    text: str
    value: int


def _bracketed(inner: Sum, layers: int) -> Sum:
    return Sum("(" * layers + inner.text + ")" * layers, inner.value)


def _selected(inner: Sum) -> Sum:
    return Sum(f"(SELECT {inner.text})", inner.value)


def _joined(left: Sum, operator: str, right: Sum) -> Sum:
    come_to = {
        "+": left.value + right.value,
        "-": left.value - right.value,
        "*": left.value * right.value,
    }
    return Sum(f"({left.text}) {operator} ({right.text})", come_to[operator])


NUMBERS = st.integers(0, 9).map(lambda n: Sum(f"toInt64({n})", n))
SUMS = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        st.builds(_joined, inner, st.sampled_from("+-*"), inner),
        st.builds(_bracketed, inner, st.integers(1, 3)),
        st.builds(_selected, inner),
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(sums=st.lists(SUMS, min_size=1, max_size=3), layers=st.integers(0, 2))
def test_brackets_change_no_answer(reading: Wire, sums: list[Sum], layers: int) -> None:
    """Brackets that change nothing are no reason to refuse, and those that do are kept:
    the answer is the same where the engine's own text runs as where, with settings, the
    text that is made of the checked tree does."""
    columns = ", ".join(one.text for one in sums)
    sql = "(" * layers + f"SELECT {columns}" + ")" * layers
    expected = "\t".join(str(one.value) for one in sums)
    assert reading.value(sql) == expected
    assert reading.value(f"{sql} SETTINGS max_threads = 1") == expected
