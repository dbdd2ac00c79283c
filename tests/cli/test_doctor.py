"""`farthing doctor` sees what is wrong, and says what to do."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Self

import pytest
from click.testing import CliRunner

from farthing.cli import main
from farthing.cli.checks import machine
from farthing.collector.config import load_settings
from tests.cli.conftest import Ask
from tests.cli.farthing_process import Up


def doctor(*words: str) -> tuple[int, Any]:
    """Exit code and answer of `farthing doctor`."""
    result = CliRunner().invoke(main, ["doctor", *words, "--json"])
    return result.exit_code, json.loads(result.stdout)


def found(answer: Any, check: str) -> list[dict[str, str]]:
    return [item for item in answer["checks"] if item["check"] == check]


@pytest.fixture
def any_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ports that are free on any machine."""
    for name in ("HTTP", "GRPC", "WEB"):
        monkeypatch.setenv(f"FARTHING_{name}_LISTEN", "127.0.0.1:0")


@pytest.mark.usefixtures("any_ports")
def test_a_new_installation_is_well(tmp_path: Path) -> None:
    """Before anything was started there is no problem, and what to start is said; the
    check leaves nothing behind."""
    code, answer = doctor("--data", str(tmp_path / "data"))
    assert code == 0
    assert answer["ok"]
    assert {item["status"] for item in answer["checks"]} == {"ok", "warning"}
    [ledger] = found(answer, "ledger")
    assert ledger["do"] == "`farthing up` makes it"
    assert not (tmp_path / "data").exists()


class DayOfTheCaptures(datetime):
    """The day on which tests/otlp was captured: the doctor looks at the last one."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls(2026, 11, 22, 12, tzinfo=tz)


def test_a_running_collector_is_looked_at(
    ask: Ask, running: Up, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a collector every check is about it: its ports, readiness, spool, ledger,
    price book, emitters, and why calls have no price."""
    monkeypatch.setattr("farthing.cli.doctor_collector.datetime", DayOfTheCaptures)
    code, answer = doctor("--data", str(ask.data_dir))
    assert code == 0, answer
    [ports] = found(answer, "ports")
    assert running.running.http_url in ports["says"]
    for check in ("collector", "spool", "dead letters", "ledger"):
        assert [item["status"] for item in found(answer, check)] == ["ok"]
    assert "the ledger prices by" in found(answer, "prices")[-1]["says"]
    advice = {item["says"].rpartition(" ")[2]: item["do"]
              for item in found(answer, "priced")}  # fmt: skip
    assert "price file" in advice["gpt-retryonce"]
    assert len(answer["emitters"]) == 8
    assert sum(emitter["calls"] for emitter in answer["emitters"]) == 36
    table = ask("doctor").stdout
    assert "com.anthropic.sdk.python" in table
    assert "-> " in table


@pytest.mark.usefixtures("any_ports")
def test_a_taken_port_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port on which another program listens is a problem that names it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("FARTHING_GRPC_LISTEN", f"127.0.0.1:{port}")
        code, answer = doctor("--data", str(tmp_path))
        owners = list(machine.owners(port))
    assert code == 1
    [problem] = [p for p in found(answer, "ports") if p["status"] == "problem"]
    assert problem["says"] == f"127.0.0.1:{port} is in use by {owners[0]}"
    assert "FARTHING_GRPC_LISTEN" in problem["do"]


@pytest.mark.usefixtures("any_ports")
def test_a_collector_on_another_folder_is_told_once(
    ask: Ask, running: Up, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ports that a collector of another folder has are one problem, with the folder."""
    monkeypatch.setenv(
        "FARTHING_HTTP_LISTEN", running.running.http_url.removeprefix("http://")
    )
    code, answer = doctor("--data", str(tmp_path))
    assert code == 1
    [told] = found(answer, "ports")
    assert told["says"].endswith(f"on another folder, {ask.data_dir}")
    assert told["do"] == f"`farthing doctor --data {ask.data_dir}`"


@pytest.mark.usefixtures("any_ports")
def test_listening_beyond_this_machine_needs_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `farthing up` would refuse is a problem before it is started."""
    monkeypatch.setenv("FARTHING_HTTP_LISTEN", "0.0.0.0:0")
    assert doctor("--data", str(tmp_path))[0] == 1
    monkeypatch.setenv("FARTHING_TOKEN", "sesame")
    code, answer = doctor("--data", str(tmp_path))
    assert code == 0
    assert "sesame" not in json.dumps(answer)


def test_a_wrong_configuration_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration that cannot be read is the answer, not the end of the check."""
    monkeypatch.setenv("FARTHING_RETENTION_DAYS", "many")
    code, answer = doctor()
    assert code == 1
    [only] = answer["checks"]
    assert "FARTHING_RETENTION_DAYS" in only["says"]


@pytest.mark.usefixtures("any_ports")
def test_prices_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A price file that does not read is a problem that says where it is wrong."""
    file = tmp_path / "prices.yaml"
    monkeypatch.setenv("FARTHING_PRICES_FILE", str(file))
    file.write_text("free:\n  - {provider: ollama}\n")
    assert doctor("--data", str(tmp_path / "data"))[0] == 0
    file.write_text("free:\n  - {modle: x}\n")
    code, answer = doctor("--data", str(tmp_path / "data"))
    assert code == 1
    assert "modle" in found(answer, "prices")[-1]["says"]


@pytest.mark.parametrize("name", ["budgets", "alerts"])
@pytest.mark.usefixtures("any_ports")
def test_files_of_alerts_are_checked(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So is a file of budgets or of alerts with which a collector would not start."""
    file = tmp_path / f"{name}.yaml"
    monkeypatch.setenv(f"FARTHING_{name.upper()}_FILE", str(file))
    file.write_text("budgets: []" if name == "budgets" else "{}")
    assert doctor("--data", str(tmp_path / "data"))[0] == 0
    file.write_text("budgets: [{name: a, of: teem, window: day, limit_usd: 1}]")
    code, answer = doctor("--data", str(tmp_path / "data"))
    assert code == 1
    assert str(file) in found(answer, "alerts")[-1]["says"]


@pytest.mark.usefixtures("any_ports")
def test_what_waits_or_was_refused_is_told(tmp_path: Path) -> None:
    """Requests that the ledger refused, and those that nobody loads, are warned of."""
    letters = tmp_path / "dead-letters"
    letters.mkdir()
    (letters / "20261101T000000-1.pb").write_bytes(b"")
    (letters / "20261102T000000-2.pb").write_bytes(b"")
    (letters / "20261102T000000-2.json").write_text('{"reason": "too odd"}')
    code, answer = doctor("--data", str(tmp_path))
    assert code == 0
    [told] = found(answer, "dead letters")
    assert told["status"] == "warning"
    assert told["says"].startswith("2 requests in ")
    assert told["says"].endswith("the newest: too odd")


@pytest.mark.usefixtures("any_ports")
def test_a_store_that_is_away_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that does not answer is a problem; its password is not shown."""
    monkeypatch.setenv("FARTHING_STORE", "clickhouse://u:sesame@127.0.0.1:9/x")
    monkeypatch.setenv("FARTHING_DATA_DIR", str(tmp_path))
    code, answer = doctor()
    assert code == 1
    [ledger] = found(answer, "ledger")
    assert ledger["status"] == "problem"
    assert "sesame" not in json.dumps(answer)


def test_a_full_disk_is_a_problem(tmp_path: Path) -> None:
    """Less room than is kept free is a problem, little more a warning."""

    def status(least: int) -> Iterator[str]:
        settings = load_settings(data_dir=tmp_path, min_free_bytes=least)
        return (finding.status.value for finding in machine.disk(settings))

    assert list(status(0)) == ["ok"]
    assert list(status(2**60)) == ["problem"]


def test_a_misspelt_variable_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that resembles a setting's is told with the right name."""
    monkeypatch.setenv("FARTHING_RETENTION_DAY", "3")
    told = found(doctor()[1], "configuration")
    assert told[-1]["do"] == "did you mean FARTHING_RETENTION_DAYS?"
