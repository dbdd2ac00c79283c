"""A collector and the demo as processes: how they start, and how they end."""

from __future__ import annotations

import re
import signal
import subprocess
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from farthing.collector import presence
from farthing.collector.demo.incidents import LOOP_RUN_ID, RUNAWAY_RUN_ID
from tests.cli.conftest import Ask
from tests.cli.farthing_process import (
    ANY_PORTS,
    Up,
    farthing,
    read_until,
    started,
    up,
)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_collector_ends_with_0(number: signal.Signals, tmp_path: Path) -> None:
    """SIGTERM and Ctrl-C are how a collector is meant to end."""
    with up(tmp_path) as found:
        found.process.send_signal(number)
        _, told = found.process.communicate(timeout=30)
    assert found.process.returncode == 0
    assert told == ""


def test_a_full_disk_is_no_readiness(tmp_path: Path) -> None:
    """A collector whose disk is full is alive, and not ready: it says why."""
    full = {"FARTHING_MIN_FREE_BYTES": str(1 << 62)}
    with up(tmp_path, env=full) as found:
        url = found.running.http_url
        assert requests.get(f"{url}/healthz", timeout=10).status_code == 200
        ready = requests.get(f"{url}/readyz", timeout=10)
    assert ready.status_code == 503
    assert "is full" in ready.text


def test_a_folder_has_one_collector(running: Up) -> None:
    """A second collector on a folder is refused with the first one's process."""
    ended = farthing("up", "--data", running.data_dir, *ANY_PORTS)
    assert ended.returncode == 2
    assert f"is in use by process {running.running.pid}" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_taken_port_is_named(running: Up, tmp_path: Path) -> None:
    """A port that is taken ends a collector's start with 2 and what to set."""
    taken = running.running.http_url.removeprefix("http://")
    ended = farthing("up", "--data", tmp_path, *ANY_PORTS, "--http-listen", taken)
    assert ended.returncode == 2
    assert f"cannot listen on {taken}" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_misspelt_setting_is_named(running: Up) -> None:
    """A variable that looks like a setting's is told before anything else."""
    misspelt = {"FARTHING_RETENTION_DAY": "30"}
    ended = farthing("up", "--data", running.data_dir, *ANY_PORTS, env=misspelt)
    [first, *_] = ended.stderr.splitlines()
    meant = "FARTHING_RETENTION_DAY is no setting: did you mean FARTHING_RETENTION_DAYS"
    assert meant in first


def test_the_demo_shows_and_cleans_up() -> None:
    """The demo's report is what its ledger says; the run that it names can be looked at
    while it is up; the loop and the runaway are told; Ctrl-C ends it with 0 and its
    folder is gone."""
    with started("demo", "--runs", "250") as process:
        shown = read_until(process, "farthing run show ")
        found = re.search(r"farthing run show (\S+) --data (\S+)", shown)
        assert found is not None
        run_id, folder = found[1], Path(found[2])
        ask = Ask(folder)
        report = ask.json("report", "--by", "model")["total"]
        [spans] = ask.json(
            "sql", "SELECT sum(cost_usd) AS u, sum(calls) AS n FROM spans"
        )
        assert (report["cost_usd"], report["calls"]) == (spans["u"], spans["n"])
        totals = re.findall(r"^total +≥ \$(\S+) +([\d,]+)", shown, re.M)
        assert len(totals) == 3
        for usd, calls in totals:
            assert abs(Decimal(usd) - Decimal(report["cost_usd"])) <= Decimal("0.005")
            assert int(calls.replace(",", "")) == report["calls"]
        assert f"`farthing loops list --data {folder}` has them" in shown
        assert f"A run that loops: {LOOP_RUN_ID}" in shown
        assert "weather-report, 2 of 2 billed calls, $" in shown
        assert run_id == RUNAWAY_RUN_ID
        assert "cost $" in ask("run", "show", run_id).stdout
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
        assert (process.returncode, told) == (0, "")
    assert not folder.exists()


def test_a_demo_that_is_stopped_early_leaves_nothing() -> None:
    """Ctrl-C while the demo still works ends it at once, with 130 and no folder."""
    with started("demo", "--runs", "3000") as process:
        shown = read_until(process, "Point an agent here")
        folder = Path(shown.partition("chdb://")[2].split()[0]).parent
        assert folder.exists()
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert (process.returncode, told) == (130, "")
    assert not folder.exists()


def test_the_demo_can_end_by_itself() -> None:
    """`--once` ends with 0 after the report, whatever listens on the usual ports; its
    loop and its runaway have reached Slack and PagerDuty, and their rules resolve
    both. The report ends when it was made, and names no command to ask a ledger that is
    gone."""
    ended = farthing("demo", "--once", "--runs", "250")
    assert ended.returncode == 0
    assert ended.stderr == ""
    _, _, told = ended.stdout.partition("Told on a Slack and a PagerDuty")
    for channel in ("Slack", "PagerDuty"):
        for run_id in (LOOP_RUN_ID, RUNAWAY_RUN_ID):
            assert re.search(rf"^  {channel} .*{run_id}", told, re.M)
    assert "each message says RESOLVED, no incident is open" in told
    assert "`farthing " not in ended.stdout
    ends = re.findall(r"^Spend by .* to (\S+ \S+) UTC", ended.stdout, re.M)
    assert len(ends) == 3
    assert max(ends) <= f"{datetime.now(UTC):%Y-%m-%d %H:%M}"


def test_a_reader_is_waited_for(tmp_path: Path) -> None:
    """A command that reads the ledger holds its folder for a moment: a collector that
    starts then waits instead of giving up."""
    with ExitStack() as reading:
        reading.enter_context(presence.owned(tmp_path))
        with started("up", "--data", tmp_path, *ANY_PORTS) as process:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=3)
            reading.close()
            read_until(process, "Point an agent here")


def test_a_store_that_is_away_is_told_once(tmp_path: Path) -> None:
    """The log tells of a store that is away in a line of ours, without further ones of
    the libraries that ask it."""
    words = ("--data", tmp_path / "data", "--store", "clickhouse://127.0.0.1:9/none")
    with started("up", *words, *ANY_PORTS) as process:
        assert process.stderr is not None
        assert "what arrives waits in the spool" in process.stderr.readline()
