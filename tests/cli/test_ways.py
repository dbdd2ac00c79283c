"""Beside a collector, or without one: the same answers."""

from __future__ import annotations

import asyncio
import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from farthing.cli import main
from farthing.collector.report.spend import BUCKETS, DIMENSIONS
from farthing.collector.spool import Spool
from tests.cli.conftest import ASKED, CAPTURES, Ask
from tests.cli.farthing_process import Up, farthing, up
from tests.clickhouse_server import clickhouse_server

SINCE = ("--since", "2026-01-01")
WITHOUT_ONE = (
    "Without 1 request that a collector received before it stopped: `farthing up`"
    " loads what waits.\n"
)


def without_now(answer: Any) -> Any:
    if not isinstance(answer, dict):
        return answer
    return {name: value for name, value in answer.items() if name != "until"}


@pytest.mark.parametrize("words", ASKED, ids=lambda words: " ".join(words[:2]))
def test_a_collector_answers_as_its_ledger_does(
    words: tuple[str, ...], ask: Ask, told_directly: dict[tuple[str, ...], Any]
) -> None:
    """What a command says while a collector runs is what it says without one, but for
    the hour, which may have ended in between."""
    assert without_now(ask.json(*words)) == without_now(told_directly[words])


@pytest.mark.parametrize("by", DIMENSIONS)
def test_a_report_adds_up(by: str, ask: Ask) -> None:
    """Whatever the report is broken down by, its groups add up to its total, and the
    total is what a plain sum over the ledger's spans gives, to the last digit."""
    report = ask.json("report", *SINCE, "--by", by)
    sums = ", ".join(f"sum({name}_tokens) AS {name}" for name in BUCKETS)
    [spans] = ask.json(
        "sql", f"SELECT sum(cost_usd) AS usd, sum(calls) AS calls, {sums} FROM spans"
    )
    total = report["total"]
    assert total["cost_usd"] == spans["usd"]
    assert total["calls"] == spans["calls"] == 36
    assert total["tokens"] == {name: spans[name] for name in BUCKETS}
    groups = report["groups"]
    assert sum(Decimal(g["cost_usd"] or 0) for g in groups) == Decimal(
        total["cost_usd"]
    )
    for name in ("calls", "unpriced_calls", "partial_calls", "tool_calls", "errors"):
        assert sum(group[name] for group in groups) == total[name]
    for bucket in BUCKETS:
        assert sum(g["tokens"][bucket] for g in groups) == total["tokens"][bucket]


def test_what_a_report_advises_asks_the_same_ledger(
    own_ledger: Path, tmp_path: Path
) -> None:
    """It can be copied as it stands, whatever the folder is called."""
    data_dir = tmp_path / "a folder"
    shutil.copytree(own_ledger, data_dir, symlinks=True)
    ended = farthing("report", *SINCE, "--data", data_dir)
    assert f"`farthing doctor --data '{data_dir}'` says" in ended.stdout


def test_a_total_with_unknown_costs_says_so(ask: Ask) -> None:
    """A total that contains calls without a price is a lower bound, in JSON and in the
    table, which names the reasons."""
    report = ask.json("report", *SINCE)
    assert report["total"]["lower_bound"]
    assert report["total"]["unpriced_calls"] == 2
    assert {item["state"] for item in report["unpriced"]} == {
        "unpriced",
        "no_usage",
        "partial",
    }
    table = ask("report", *SINCE).stdout
    assert "≥ $0." in table
    assert "2 without a known cost (1 told no usage, 1 has no price)" in table
    assert "1 unpriced (unknown_model): gpt-retryonce" in table


def test_reasons_that_are_not_shown_are_counted(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below a report stand the commonest reasons, and how many calls have others."""
    monkeypatch.setattr("farthing.cli.report._REASONS", 1)
    _, *others = ask.json("report", *SINCE)["unpriced"]
    left = sum(reason["calls"] for reason in others)
    told = ask("report", *SINCE).stdout
    assert f"  {left} more, of other models or reasons\n" in told


def test_a_group_without_any_price_costs_a_dash(ask: Ask) -> None:
    """Unknown is never zero: a model without a price has no cost in the table, nor has
    a run of such calls alone; for programs that is null."""
    table = ask("report", *SINCE, "--by", "model").stdout
    [line] = [line for line in table.splitlines() if line.startswith("gpt-retryonce")]
    assert line.split()[1] == "-"
    groups = ask.json("report", *SINCE, "--by", "model")["groups"]
    assert {g["key"]: g["cost_usd"] for g in groups}["gpt-retryonce"] is None
    [unknown, *_] = [
        run
        for run in ask.json("runs", *SINCE, "--limit", "100")
        if 0 < run["calls"] == run["unpriced_calls"]
    ]
    assert unknown["cost_usd"] is None
    listed = ask("runs", *SINCE, "--limit", "100").stdout.splitlines()
    [line] = [line for line in listed if line.startswith(unknown["run_id"])]
    assert line.split()[-1] == "-"


def test_an_empty_answer_says_what_to_do(ask: Ask) -> None:
    """Where nothing is found, the answer says so and is no error."""
    kind = ask("runs", "--task-type", "no such kind")
    assert kind.exit_code == 0
    assert "No run of task type 'no such kind' ended since" in kind.stdout


def test_more_runs_than_shown_are_counted(ask: Ask) -> None:
    """A list that is cut says how many runs there are."""
    shown = ask("runs", *SINCE, "--limit", "3").stdout
    assert "The first 3 of 40 runs; --limit shows more." in shown


@pytest.mark.parametrize(
    ("way", "query"),
    [
        ("beside", "DROP TABLE spans"),
        ("beside", "SELEC 1"),
        ("beside", "SELECT * FROM nosuch"),
        ("without", "INSERT INTO spans (name) VALUES ('x')"),
        ("without", "SELECT * FROM nosuch"),
    ],
)
def test_a_wrong_query_is_one_line(
    query: str, way: str, ask: Ask, own_ledger: Path
) -> None:
    """A query that writes or means nothing is refused with 2 and one line, by a
    collector and by a ledger that is opened here."""
    if way == "beside":
        result = ask("sql", query)
        code, told = result.exit_code, result.stderr
    else:
        ended = farthing("sql", query, "--data", own_ledger)
        code, told = ended.returncode, ended.stderr
    assert code == 2
    assert told.startswith("farthing: the ledger refuses the query: ")
    assert told.count("\n") == 1


def test_sql_takes_any_format(ask: Ask) -> None:
    """`--format` is passed to ClickHouse, and --json keeps every digit of money."""
    csv = ask("sql", "SELECT 1 AS a, 'x' AS b", "--format", "CSVWithNames").stdout
    assert csv == '"a","b"\n1,"x"\n'
    query = "SELECT toDecimal128('0.123456789012345', 15) AS usd, now() AS now"
    [row] = ask.json("sql", query)
    assert row["usd"] == "0.123456789012345"
    assert row["now"].endswith("+00:00")


@pytest.mark.parametrize(
    "end", ["FORMAT CSV", "\nformat CSV ;\n", "SETTINGS max_threads = 1 FORMAT CSV"]
)
def test_sql_takes_a_format_of_the_query(ask: Ask, end: str) -> None:
    """A FORMAT at the end of the query is used as `--format` is; a column of that name
    is none, and --json answers all the same."""
    query = f"SELECT 1 AS a, 'x FORMAT y' AS b {end}"
    assert ask("sql", query).stdout == '1,"x FORMAT y"\n'
    assert ask.json("sql", query) == [{"a": 1, "b": "x FORMAT y"}]
    ordered = "SELECT number AS format FROM numbers(2) ORDER BY format DESC"
    assert ask("sql", ordered, "--format", "CSV").stdout == "1\n0\n"


def test_the_hour_in_which_a_range_begins_counts_whole(ask: Ask) -> None:
    """A run that ended a second before is listed: the report and the page begin with
    the hour, too."""
    [last] = ask.json(
        "sql",
        "SELECT run_id, toString(max(end_time) + 1) AS after FROM runs"
        " WHERE run_id != '' GROUP BY run_id"
        " HAVING toMinute(max(end_time)) < 59 ORDER BY after LIMIT 1",
    )
    told = ask.json("runs", "--since", last["after"], "--limit", "1000")
    assert last["run_id"] in {run["run_id"] for run in told}


def test_the_beginning_of_a_runs_id_is_enough(ask: Ask) -> None:
    """`run show` finds a run by a beginning that no other has, and names the runs that
    share one; a whole id is found even where a longer one begins with it."""
    rows = ask.json("sql", "SELECT DISTINCT run_id FROM runs WHERE run_id != ''")
    ids = sorted(row["run_id"] for row in rows)
    for run_id in ids:
        assert ask.json("run", "show", run_id)["run_id"] == run_id
    alone = next(
        one for one in ids if not any(o[:-1] == one[:-1] for o in ids if o != one)
    )
    assert ask.json("run", "show", alone[:-1])["run_id"] == alone
    shared = next(one[:1] for one in ids if sum(o[:1] == one[:1] for o in ids) > 1)
    ended = ask("run", "show", shared)
    assert ended.exit_code == 2
    assert "more than one run begins so" in ended.stderr
    assert "there is no run" in ask("run", "show", "nosuch").stderr


@pytest.mark.parametrize("query", ["", " ;\n"])
def test_an_empty_query_is_said(query: str) -> None:
    """Nothing is asked of the ledger; the words are about the query."""
    ended = CliRunner().invoke(main, ["sql", query])
    assert ended.exit_code == 2
    assert "the query is empty" in ended.stderr


def test_a_token_is_needed(tmp_path: Path, replayed: Path) -> None:
    """A collector with a token answers those who have it; others are told what to
    set, with 2."""
    token = {"FARTHING_TOKEN": "sesame"}
    with up(tmp_path, env=token) as found:
        url = found.running.http_url
        refused = farthing("replay", CAPTURES["official-langchain"], "--to", url)
        assert refused.returncode == 2
        assert "wants a token" in refused.stderr
        sent = farthing(
            "replay",
            CAPTURES["official-langchain"],
            "--to",
            url,
            "--token",
            "sesame",
            "--json",
        )
        assert json.loads(sent.stdout) == {
            "spans": 6,
            "requests": 2,
            "rejected_spans": 0,
        }
        denied = farthing("report", "--data", tmp_path)
        assert denied.returncode == 2
        assert "set FARTHING_TOKEN to the collector's" in denied.stderr
        told = farthing("report", *SINCE, "--data", tmp_path, "--json", env=token)
        assert json.loads(told.stdout)["total"]["calls"] == 3


def test_no_ledger_says_how_to_get_one(tmp_path: Path, ask: Ask) -> None:
    """Where there is no ledger, a command says so in one line, with 2."""
    for folder in (tmp_path / "none", tmp_path):
        result = Ask(folder)("report")
        assert result.exit_code == 2
        assert result.stderr.startswith("farthing: there is no ledger at ")
        assert "farthing up" in result.stderr


@pytest.mark.parametrize("words", [("report",), ("runs",), ("sql", "SELECT 1")])
def test_no_ledger_names_a_misspelt_variable(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no ledger, a variable that may have been meant is named."""
    monkeypatch.setenv("FARTHING_DATA", str(tmp_path))
    result = Ask(tmp_path / "none")(*words)
    assert result.exit_code == 2
    assert "FARTHING_DATA means nothing: did you mean FARTHING_DATA_DIR?" in (
        result.stderr
    )


def test_a_dead_collector_is_no_collector(running: Up, tmp_path: Path) -> None:
    """A collector that was killed leaves its note behind; the ledger is opened as if
    there were none."""
    with up(tmp_path) as found:
        found.process.kill()
        found.process.wait(timeout=30)
    assert (tmp_path / "collector.json").read_text()
    ended = farthing("report", "--data", tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("Nothing was spent")


def test_what_a_stopped_collector_received_is_missed(
    own_ledger: Path, tmp_path: Path
) -> None:
    """Where no collector runs, an answer says how many requests wait to be loaded, and
    nothing where none does."""
    data_dir = tmp_path / "data"
    shutil.copytree(own_ledger, data_dir, symlinks=True)
    assert farthing("report", "--data", data_dir).stderr == ""
    spool = Spool(data_dir / "spool")
    asyncio.run(spool.append(b"a request"))
    spool.close()
    ended = farthing("report", "--data", data_dir, "--json")
    assert json.loads(ended.stdout)["groups"] is not None
    assert ended.stderr == WITHOUT_ONE


def test_what_was_being_loaded_may_be_in_an_answer(
    own_ledger: Path, tmp_path: Path
) -> None:
    """A collector that was killed while it loaded a batch: nobody knows whether an
    answer has it before it is loaded again, and so it is said."""
    data_dir = tmp_path / "data"
    shutil.copytree(own_ledger, data_dir, symlinks=True)
    spool = Spool(data_dir / "spool")
    asyncio.run(spool.append(b"a request"))
    assert spool.next_batch(max_bytes=2**20) is not None
    asyncio.run(spool.append(b"another"))
    spool.close()
    assert farthing("report", "--data", data_dir).stderr == (
        "Without 2 requests that a collector received before it stopped, or with 1 of"
        " them that it was loading: `farthing up` loads what waits.\n"
    )


def test_a_spool_that_cannot_be_read_hides_no_answer(
    own_ledger: Path, tmp_path: Path
) -> None:
    """What the ledger has is told though the spool is damaged, and that something may
    be missing."""
    data_dir = tmp_path / "data"
    shutil.copytree(own_ledger, data_dir, symlinks=True)
    (data_dir / "spool").mkdir(exist_ok=True)
    (data_dir / "spool" / "spool.sqlite").write_text("no database, as anybody sees")
    ended = farthing("report", *SINCE, "--data", data_dir, "--json")
    assert json.loads(ended.stdout)["total"]["calls"] == 3
    assert ended.stderr.startswith("Perhaps without what a collector received")
    assert "file is not a database" in ended.stderr


def test_beside_a_server_what_waits_is_told_and_where_the_ledger_is(
    tmp_path: Path,
) -> None:
    """Where a server has the ledger, an answer says what the collector of this machine
    left in its spool, and nothing while it runs; who asks for the ledger of its folder
    is told to ask the server."""
    data_dir = tmp_path / "data"
    (tmp_path / "server").mkdir()
    with clickhouse_server(tmp_path / "server", writable=True) as server:
        own = {
            "FARTHING_STORE": f"clickhouse://default@127.0.0.1:{server.port}/farthing",
            "FARTHING_DATA_DIR": str(data_dir),
        }
        with up(data_dir, env=own):
            assert farthing("report", env=own).stderr == ""
            for env, told in (
                (own, "leave --data away to ask c"),
                ({}, "set FARTHING_STORE to the server"),
            ):
                ended = farthing("report", "--data", data_dir, env=env)
                assert ended.returncode == 2
                assert f" yet: {told}" in ended.stderr
                assert (
                    f"-> {told}"
                    in farthing("doctor", "--data", data_dir, env=env).stdout
                )
        spool = Spool(data_dir / "spool")
        asyncio.run(spool.append(b"a request"))
        spool.close()
        assert farthing("report", env=own).stderr == WITHOUT_ONE
