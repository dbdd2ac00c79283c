"""How things look: exact, readable in 80 columns, and never obeyed by the terminal."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from farthing.cli import show
from farthing.cli.show import Column

HOSTILE = "[bold red]x[/]\x1b[2J\x1b]8;;http://evil\x07\u202egnp.exe\r\nnext"


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        ("0", "$0"), ("0.0000001600", "$0.0000001600"), ("0.00150", "$0.001500"),
        ("1.55449", "$1.554"), ("9.9999", "$10.000"), ("10", "$10.00"),
        ("1234567.891", "$1,234,567.89"), ("-0.5", "-$0.5000"),
    ],
)  # fmt: skip
def test_money_keeps_its_digits(usd: str, shown: str) -> None:
    """Small amounts keep four significant digits, large ones their cents."""
    assert show.money(Decimal(usd)) == shown


def test_unknown_money_is_a_dash() -> None:
    """What is not known is a dash, and a lower bound says so."""
    assert show.money(None) == "-"
    assert show.money(Decimal(12), lower_bound=True) == "≥ $12.00"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0154, "15 ms"), (59.94, "59.9 s"), (61, "1 min 1 s"), (7260, "2 h 1 min"),
     (90 * 3600, "3 d 18 h")],
)  # fmt: skip
def test_durations_have_two_units(seconds: float, shown: str) -> None:
    """A duration is told in its two largest units."""
    assert show.duration(seconds) == shown


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    """Whatever a span's name holds, no control or direction character is shown."""
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not [c for c in show.clean(text) if unicodedata.category(c) in hidden]


def test_names_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    """Markup in a name is text; a line break does not break a table."""
    show.table([Column("name"), Column("n", "right")], [[HOSTILE, "1"]])
    show.line(HOSTILE)
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 3
    assert "[bold red]x[/][2J]8;;http://evil" in out[1]
    assert out[1].endswith("  1")
    assert "\x1b" not in "".join(out)


COLUMNS = [
    Column("run"),
    Column("task", rank=2),
    Column("agent", rank=3),
    Column("calls", "right"),
    Column("cost", "right"),
]
ROW = ["r" * 32, "t" * 24, "a" * 24, "1,234", "$12.00"]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 60 columns."""
    made = Console(highlight=False, width=60, force_terminal=True, no_color=True)
    monkeypatch.setattr(show, "console", lambda: made)


@pytest.mark.usefixtures("terminal")
def test_a_narrow_terminal_loses_columns_not_digits(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Columns that do not fit are left out, the least important first, which is said;
    ids and numbers stay whole and no line is wider than the terminal."""
    show.table(COLUMNS, [ROW])
    out = capsys.readouterr().out
    assert "r" * 32 in out
    assert "$12.00" in out
    assert "(no room for: task, agent)" in out
    assert max(map(len, out.splitlines())) <= 60 + len("\x1b[1m\x1b[0m") * 5


def test_a_pipe_gets_every_column(capsys: pytest.CaptureFixture[str]) -> None:
    """Where no terminal sets a width, nothing is left out, cut or padded."""
    show.table(COLUMNS, [ROW])
    out = capsys.readouterr().out.splitlines()
    assert out[1] == "  ".join(ROW)
    assert not [text for text in out if text != text.rstrip()]


def test_progress_is_for_terminals(capfd: pytest.CaptureFixture[str]) -> None:
    """Where standard error is no terminal, progress leaves no trace."""
    with show.progress("loading") as update:
        update(5, "spans")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0 calls"), (1, "1 call"), (1200, "1,200 calls")]
)
def test_one_has_no_s(number: int, shown: str) -> None:
    """What is counted is told in its number."""
    assert show.counted(number, "call") == shown
