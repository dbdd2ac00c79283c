"""`farthing alerts` and `farthing budgets` beside a collector that is running."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from click.testing import CliRunner, Result

from farthing.cli import main
from farthing.collector.demo.fleet import fleet
from farthing.collector.demo.incidents import LOOP_RUN_ID, RUNAWAY_RUN_ID
from farthing.collector.replay.send import send
from tests.cli.farthing_process import Up, up

BUDGETS = """
budgets:
  - {name: platform, of: business_unit, who: platform, window: month, limit_usd: 0.5}
  - {name: users, of: user, window: month, limit_usd: 10000}
"""
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A collector with budgets, told of the demo's fleet."""
    folder = tmp_path_factory.mktemp("alerts")
    (folder / "budgets.yaml").write_text(BUDGETS)
    env = {"FARTHING_BUDGETS_FILE": str(folder / "budgets.yaml")}
    with up(folder / "data", env=env) as running:
        requests = (r.SerializeToString() for r in fleet(datetime.now(UTC), runs=300))
        send(requests, running.running.http_url)
        yield running


class Ask:
    def __init__(self, collector: Up, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = collector.data_dir
        self.words = ["--data", str(folder)]
        monkeypatch.setenv("FARTHING_BUDGETS_FILE", str(folder.parent / "budgets.yaml"))

    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(main, [*words, *self.words])

    def json(self, *words: str) -> Any:
        result = self(*words, "--json")
        assert result.exit_code in (0, 1), result.output
        return json.loads(result.stdout)

    def until(self, *words: str, is_so: Any) -> Any:
        """What a command says as soon as it says what is waited for."""
        deadline_s = time.monotonic() + TIMEOUT_S
        while not is_so(found := self.json(*words)):
            assert time.monotonic() < deadline_s, found
            time.sleep(0.1)
        return found


@pytest.fixture
def ask(told: Up, monkeypatch: pytest.MonkeyPatch) -> Ask:
    return Ask(told, monkeypatch)


def test_what_is_wrong_is_found_and_shown(ask: Ask) -> None:
    """The loop, the run that costs a multiple and the budget are there within seconds,
    for commands and, in the ledger, for dashboards."""
    expected = {("loop", LOOP_RUN_ID), ("run-cost", RUNAWAY_RUN_ID)}

    def is_so(found: Any) -> bool:
        told = {(one["rule"], one["shown"]) for one in found}
        return expected <= told and any(rule == "budget" for rule, _ in told)

    found = ask.until("alerts", "list", is_so=is_so)
    table = ask("alerts", "list").stdout
    assert RUNAWAY_RUN_ID in table
    [loop] = [
        one for one in found if one["shown"] == LOOP_RUN_ID and one["rule"] == "loop"
    ]
    shown = ask("alerts", "show", loop["id"][:8]).stdout
    assert "more calls of run_tests" in shown
    sql = (
        "SELECT rule, shown, state, toString(value) AS value FROM alert_instances FINAL"
    )
    rows = ask.until(
        "sql",
        sql,
        is_so=lambda rows: expected <= {(r["rule"], r["shown"]) for r in rows},
    )
    assert {row["state"] for row in rows} == {"firing"}


def test_acknowledging_reaches_the_collector(ask: Ask) -> None:
    """`ack` is taken up by the collector that runs."""

    def state(found: Any) -> bool:
        return any(one["acknowledged_by"] == "ann" for one in found)

    [alert, *_] = ask.until("alerts", "list", is_so=bool)
    result = ask("alerts", "ack", alert["id"][:10], "--by", "ann")
    assert "within seconds" in result.stdout
    ask.until("alerts", "list", is_so=state)
    missing = ask("alerts", "ack", "zzz")
    assert (missing.exit_code, "no alert has an id" in missing.stderr) == (2, True)


def test_silences(ask: Ask) -> None:
    """A silence is made, listed and ended; what is no label is refused."""
    ask("alerts", "silence", "team=growth", "rule=loop", "--for", "1h", "--by", "ann")
    [silence] = ask.json("alerts", "silence")
    assert silence["match"] == {"team": ["growth"], "rule": ["loop"]}
    assert "team=growth, rule=loop" in ask("alerts", "silence").stdout
    assert ask.json("alerts", "silence", "--end", silence["id"]) == []
    assert ask("alerts", "silence", "growth").exit_code == 2
    assert ask("alerts", "silence", "team=growth", "--for", "soon").exit_code == 2


def test_noise(ask: Ask) -> None:
    """`noise` counts, by rule, what fired and what was told."""
    ask.until("alerts", "list", is_so=bool)
    told = {line["rule"]: line for line in ask.json("alerts", "noise")}
    assert told["loop"]["muted"] == told["loop"]["fired"] == 1
    assert "told to nobody" in ask("alerts", "noise").stdout


def test_a_rule_is_tried_out(ask: Ask) -> None:
    """`test` shows what a rule says now, and its exit code says whether it fires."""
    result = ask("alerts", "test", "run-cost", "--json")
    assert result.exit_code == 1
    assert RUNAWAY_RUN_ID in {each["subject"] for each in json.loads(result.stdout)}
    assert ask("alerts", "test", "run-cost").exit_code == 1
    assert ask("alerts", "test", "cache-hits").exit_code == 0
    unknown = ask("alerts", "test", "nothing")
    assert (unknown.exit_code, "run-cost" in unknown.stderr) == (2, True)
    assert "run-cost" in ask("alerts", "rules").stdout


def test_backtest(ask: Ask) -> None:
    """`backtest` says how often each rule would have fired, also with other values."""
    names = ("--rule", "run-cost", "--rule", "loop")
    told = {o["rule"]: o for o in ask.json("alerts", "backtest", *names)}
    assert told["loop"]["fired"] == 1
    assert RUNAWAY_RUN_ID in {i["subject"] for i in told["run-cost"]["incidents"]}
    few = ("--rule", "run-cost", "--set", "factor=1000")
    assert [o["fired"] for o in ask.json("alerts", "backtest", *few)] == [0]
    assert "fired" in ask("alerts", "backtest", *few).stdout
    wrong = ask("alerts", "backtest", "--rule", "run-cost", "--set", "factr=2")
    assert (wrong.exit_code, "factor" in wrong.stderr) == (2, True)


def test_budgets(ask: Ask) -> None:
    """`budgets` shows what is spent and where it leads; one that is used up is bad
    news."""
    result = ask("budgets")
    assert result.exit_code == 1
    lines = ask.json("budgets")
    assert (lines[0]["budget"], lines[0]["who"]) == ("platform", "platform")
    assert lines[0]["share"] > 1
    assert {line["budget"] for line in lines} == {"platform", "users"}


def test_budgets_are_served_to_programs(told: Up, ask: Ask) -> None:
    """`/v1/budgets` beside the receiver has what is declared and what is spent."""
    ask.until("budgets", is_so=bool)
    deadline_s = time.monotonic() + TIMEOUT_S
    while True:
        with urlopen(f"{told.running.http_url}/v1/budgets") as answer:
            served = json.load(answer)
        if served["used"] or time.monotonic() > deadline_s:
            break
        time.sleep(0.1)
    assert [budget["name"] for budget in served["declared"]] == ["platform", "users"]
    [platform] = [line for line in served["used"] if line["budget"] == "platform"]
    assert Decimal(platform["spent_usd"]) > Decimal(platform["limit_usd"])


def test_without_a_collector(tmp_path: Path) -> None:
    """Where no collector ever ran, it says what to do."""
    words = ["alerts", "list", "--data", str(tmp_path)]
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, "farthing up" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run-cots"], "no such rule: run-cots; did you mean run-cost?"),
        ([], "which rule? There are: "),
    ],
)
def test_a_rule_that_is_not_known_is_answered_with_those_that_are(
    words: list[str], told: str, tmp_path: Path
) -> None:
    """A misspelt rule is told what it resembles, none which there are."""
    result = CliRunner().invoke(
        main, ["alerts", "test", *words, "--data", str(tmp_path)]
    )
    assert result.exit_code == 2
    assert told in result.stderr
    assert "run-cost" in result.stderr
