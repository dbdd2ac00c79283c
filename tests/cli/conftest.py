"""One ledger with the captures of tests/otlp, asked in both ways."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from farthing.cli import main
from tests.cli.farthing_process import Up, farthing, up

CAPTURES = {
    path.name.partition(".")[0]: path
    for path in sorted((Path(__file__).parents[1] / "otlp").glob("*.pb"))
}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Commands in this process see no settings but a test's own."""
    for name in [name for name in os.environ if name.startswith("FARTHING_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))


@pytest.fixture(scope="session")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder into which every capture was loaded; no collector runs on it."""
    data_dir = tmp_path_factory.mktemp("replayed") / "data"
    ended = farthing("replay", *CAPTURES.values(), "--data", data_dir)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "58 spans in 31 requests.\n"
    return data_dir


@pytest.fixture(scope="session")
def own_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one capture, on which no collector ever runs."""
    data_dir = tmp_path_factory.mktemp("own")
    ended = farthing("replay", CAPTURES["official-langchain"], "--data", data_dir)
    assert ended.returncode == 0, ended.stderr
    return data_dir


ASKED: Sequence[tuple[str, ...]] = (
    ("report", "--since", "2026-01-01", "--by", "service"),
    ("runs", "--since", "2026-01-01", "--limit", "100"),
    ("run", "show", "thr_1"),
    ("loops", "evaluate", "--since", "2026-01-01"),
    ("reprice", "--since", "2026-01-01", "--dry-run"),
    ("sql", "SELECT scope, cost_usd, time, flags FROM spans ORDER BY ALL"),
)


@pytest.fixture(scope="session")
def told_directly(replayed: Path) -> dict[tuple[str, ...], Any]:
    """What each of ASKED answers while no collector runs."""
    told = {}
    for words in ASKED:
        ended = farthing(*words, "--data", replayed, "--json")
        assert ended.returncode == 0, ended.stderr
        told[words] = json.loads(ended.stdout)
    return told


@pytest.fixture(scope="session")
def running(replayed: Path, told_directly: object) -> Iterator[Up]:
    """A collector on the folder of `replayed`."""
    with up(replayed) as found:
        yield found


class Ask:
    """Calls commands in this process, on the ledger of a running collector."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(main, [*words, "--data", str(self.data_dir)])

    def json(self, *words: str) -> Any:
        """The answer to a question that must succeed."""
        result = self(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def ask(running: Up) -> Ask:
    """Commands that ask the running collector."""
    return Ask(running.data_dir)
