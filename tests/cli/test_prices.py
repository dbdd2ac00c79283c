"""`farthing prices`: what a model costs, why, and what changed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from farthing.cli import main
from farthing.economics.prices.catalogue import DATA_DIR
from tests.cli.farthing_process import FARTHING, environment

GOLDEN = Path(__file__).parents[1] / "economics/golden_prices.jsonl"
OURS = """
prices:
  - provider: openai
    model: gpt-5
    from: 2026-10-01
    usd_per_mtok: {input: 1.00, cache_read: 0.10, output: 8.00}
    source: contract
free:
  - {provider: ollama}
"""


def prices(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["prices", *map(str, words)])


def told(*words: str | Path) -> Any:
    result = prices(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A price file of an operator's."""
    file = tmp_path / "prices.yaml"
    file.write_text(OURS)
    return file


def test_a_lookup_adds_up() -> None:
    """The price of a call is the sum of its components, which is rates times tokens."""
    found = told("lookup", "gpt-5", "--provider", "openai",
                 "--tokens", "input=1000,cache_read=200,output=300")  # fmt: skip
    call = found["call"]
    parts = {name: Decimal(usd) for name, usd in call["components_usd"].items()}
    assert Decimal(call["cost_usd"]) == sum(parts.values())
    [standard] = [
        price
        for price in found["quotes"][0]["prices"]
        if price["served_as"] == "standard"
    ]
    rates = standard["usd_per_mtok"][0]
    assert parts["input"] == Decimal(rates["input"]) * 1000 / 10**6
    assert parts["cache_read"] == Decimal(rates["cache_read"]) * 200 / 10**6
    assert parts["output"] == Decimal(rates["output"]) * 300 / 10**6


def test_a_lookup_tells_each_step() -> None:
    """The table names every provider that has the model, and the steps from the
    provider to the cost."""
    out = prices("lookup", "claude-sonnet-4-5").stdout
    assert "One call at anthropic, step by step" in out
    for word in ("azure", "standard > 200,000 tokens in", "served as", "cost "):
        assert word in out


def test_a_lookup_is_of_its_time(ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--at gives the price of that day, with the operator's own file on top."""
    monkeypatch.setenv("FARTHING_PRICES_FILE", str(ours))
    tokens = ("--provider", "openai", "--tokens", "input=1000000")
    before = told("lookup", "gpt-5", *tokens, "--at", "2026-09-30T23:59:59")
    after = told("lookup", "gpt-5", *tokens, "--at", "2026-10-01")
    assert before["call"]["cost_usd"] == "1.25"
    assert after["call"]["cost_usd"] == "1"


def test_an_unknown_model_is_bad_news_with_near_names() -> None:
    """A model that the book does not have ends with 1 and names that look like it;
    none of them is taken in its place."""
    result = prices("lookup", "gpt-5-nanno")
    assert result.exit_code == 1
    assert "did you mean" in result.stderr
    assert "gpt-5-nano" in result.stderr
    as_json = prices("lookup", "gpt-5-nanno", "--json")
    assert as_json.exit_code == 1
    assert "gpt-5-nano" in json.loads(as_json.stdout)["near"]


def test_a_model_without_a_price_then_is_said() -> None:
    """A known model that had no price at the time has an unpriced call."""
    found = told("lookup", "gpt-5", "--provider", "openai", "--tier", "nonsense")
    assert found["call"]["state"] == "unpriced"
    assert found["call"]["reason"] == "no_rate_for_tier"
    assert found["call"]["cost_usd"] is None


@pytest.mark.parametrize("tokens", ["input", "input=-1", "imput=3", "input=1;output=2"])
def test_wrong_tokens_are_a_wrong_question(tokens: str) -> None:
    """Buckets have names and whole numbers."""
    result = prices("lookup", "gpt-5", "--tokens", tokens)
    assert result.exit_code == 2
    assert "cache_read" in result.stderr


def test_all_golden_calls_are_right() -> None:
    """Every call of the published cases is priced as published."""
    assert told("check", GOLDEN) == {"right": 88, "of": 88, "wrong": []}


def test_a_wrong_price_is_bad_news(tmp_path: Path) -> None:
    """A call that comes out otherwise is told with what was expected: 1 is the code."""
    case = json.loads(GOLDEN.read_text().splitlines()[0])
    case["expected_usd"] = "1"
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps(case))
    result = prices("check", file, "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["right"], found["of"]) == (0, 1)
    assert found["wrong"][0]["id"] == case["id"]
    assert found["wrong"][0]["expected"] == "priced 1"
    table = prices("check", file)
    assert table.exit_code == 1
    assert "0 of 1 right" in table.stdout


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b"{}", b'{"id": 1, "usage": 3}', b"\xff"]
)
def test_a_file_of_another_kind_is_a_wrong_question(
    content: bytes, tmp_path: Path
) -> None:
    """A file that holds no cases is told in one line, with 2."""
    file = tmp_path / "cases.jsonl"
    file.write_bytes(content)
    result = prices("check", file)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"farthing: {file}")


def test_a_diff_is_by_model_and_time(ours: Path) -> None:
    """What an operator's file changes is told from its day on, per bucket and by how
    much; the period before it is no change."""
    assert prices("diff", "packaged", "packaged").stdout == "The prices are the same.\n"
    changes = told("diff", "packaged", ours)
    [change] = [change for change in changes if change["model"] == "gpt-5"]
    assert (change["change"], change["valid_from"]) == ("changed", "2026-10-01")
    rates = {rate["bucket"]: rate for rate in change["rates"]}
    assert rates["input"]["before"] == "1.25"
    assert rates["input"]["after"] == "1"
    assert rates["input"]["percent"] == "-20"
    [new] = [change for change in changes if change["provider"] == "ollama"]
    assert (new["change"], new["kind_after"]) == ("new", "free")
    back = told("diff", ours, "packaged")
    assert [c["change"] for c in back if c["provider"] == "ollama"] == ["gone"]
    assert "input 1.25 to 1 (-20 %)" in prices("diff", "packaged", ours).stdout


def test_a_diff_reads_folders(tmp_path: Path) -> None:
    """A folder with a compiled book is compared as what it is."""
    folder = tmp_path / "book"
    shutil.copytree(DATA_DIR, folder)
    assert told("diff", "packaged", folder) == []
    (folder / "rates.tsv").unlink()
    broken = prices("diff", "packaged", folder)
    assert broken.exit_code == 2
    assert "it has no rates.tsv" in broken.stderr
    nothing = prices("diff", "packaged", tmp_path / "nothing")
    assert nothing.exit_code == 2


def test_a_broken_price_file_tells_all_its_problems(tmp_path: Path) -> None:
    """A price file with mistakes is refused with each of them and its line."""
    file = tmp_path / "prices.yaml"
    file.write_text("prices:\n  - {provider: openai}\nfree:\n  - {modle: x}\n")
    result = prices("diff", "packaged", file)
    assert result.exit_code == 2
    assert "modle" in result.stderr


def test_prices_need_no_engine() -> None:
    """Looking up a price loads neither the engine nor the receivers."""
    program = (
        "import sys; from click.testing import CliRunner;"
        "from farthing.cli import main;"
        "CliRunner().invoke(main, ['prices', 'lookup', 'gpt-5']);"
        "assert 'rich' in sys.modules;"
        "print({'chdb', 'clickhouse_connect', 'grpc', 'uvicorn'} & set(sys.modules))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
    )
    assert ended.stdout == "set()\n"


def test_a_reader_that_leaves_is_no_error() -> None:
    """Piped into a program that stops reading, a command ends without a word."""
    ended = subprocess.run(
        f"{FARTHING} prices lookup gpt-5 --json | true",
        shell=True,
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
    )
    assert ended.stderr == ""
