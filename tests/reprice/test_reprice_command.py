"""`farthing reprice` and `farthing explain` as they are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.farthing_process import answer, farthing, up

CAPTURE = Path(__file__).parents[1] / "otlp" / "official-openai.traces.pb"
PRICES = """
discounts: [{provider: openai, percent: 10, from: 2020-01-01}]
"""
SINCE = ("--since", "2026-01-01")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A ledger with a capture, and settings by which everything is a tenth cheaper."""
    folder = tmp_path_factory.mktemp("repriced")
    ended = farthing("replay", CAPTURE, "--data", folder / "data")
    assert ended.returncode == 0, ended.stderr
    (folder / "prices.yaml").write_text(PRICES)
    return folder / "data", {"FARTHING_PRICES_FILE": str(folder / "prices.yaml")}


def test_from_a_look_to_the_last_cent(told: tuple[Path, dict[str, str]]) -> None:
    """Beside a collector: look, and be refused to write. Without: write, once. Then the
    report has the new total, and explain tells all three entries of a span."""
    data_dir, cheaper = told
    data = ("--data", data_dir)
    before = answer("report", *data, *SINCE)["total"]["cost_usd"]
    with up(data_dir):
        beside = answer("reprice", *data, *SINCE, "--dry-run", env=cheaper)
        refused = farthing("reprice", *data, *SINCE, env=cheaper)
        [row, *_] = _priced(data_dir)
        asked = answer("explain", row["span_id"], *data, env=cheaper)
    assert refused.returncode == 2
    assert "stop it" in refused.stderr
    assert asked["today"]["differs"]
    assert asked["adds_up"]

    shown = answer("reprice", *data, *SINCE, "--dry-run", env=cheaper)
    assert shown == beside
    assert shown["calls"] > 5
    done = answer("reprice", *data, *SINCE, env=cheaper)
    assert {**done, "dry_run": True} == shown
    after = answer("report", *data, *SINCE)["total"]["cost_usd"]
    moved = _femto(after) - _femto(before)
    assert moved == _femto(done["difference_usd"]) < 0
    again = farthing("reprice", *data, *SINCE, env=cheaper)
    assert again.stdout.startswith("Nothing changes: ")

    found = answer("explain", row["span_id"], *data, env=cheaper)
    assert [entry["calls"] for entry in found["entries"]] == [1, -1, 1]
    assert {entry["reason"] for entry in found["entries"]} == {"", "repriced"}
    assert found["adds_up"]
    assert not found["today"]["differs"]
    assert _femto(found["net_usd"]) * 10 == _femto(row["cost_usd"]) * 9

    shown = farthing("explain", row["span_id"], *data, env=cheaper).stdout
    assert "correction: repriced" in shown
    assert "ADD UP" not in shown
    assert f"Net: {found['net_usd']} USD, 1 call\n" in shown


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("reprice", "--dry-run"), 2, "--since"),
        (("reprice", *SINCE, "--until", "2025-01-01"), 2, "later than --since"),
        (("explain", "feedbeef"), 1, "farthing run show"),
    ],
)
def test_a_wrong_question_is_told_so(
    told: tuple[Path, dict[str, str]], words: tuple[str, ...], code: int, says: str
) -> None:
    """Exit code 2 for a question that makes no sense, 1 for a span that is unknown."""
    ended = farthing(*words, "--data", told[0])
    assert ended.returncode == code, ended.stdout
    assert says in ended.stderr


def test_there_has_to_be_a_ledger(tmp_path: Path) -> None:
    """A folder without one is named, with what to do."""
    ended = farthing("reprice", *SINCE, "--data", tmp_path / "none")
    assert ended.returncode == 2
    assert "farthing up" in ended.stderr
    assert not (tmp_path / "none").exists()


def _priced(data_dir: Path) -> list[dict[str, Any]]:
    """Priced spans, the dearest first."""
    query = (
        "SELECT span_id, toString(cost_usd) AS cost_usd FROM spans"
        " WHERE cost_state = 'priced' ORDER BY spans.cost_usd DESC"
    )
    rows: list[dict[str, Any]] = answer("sql", query, "--data", data_dir)
    return rows


def _femto(usd: str) -> int:
    whole, _, rest = usd.lstrip("-").partition(".")
    return int(whole + rest.ljust(15, "0")) * (-1 if usd.startswith("-") else 1)
