"""Observers that the environment asks for, and what their failures do to an agent."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from farthing.collector.demo.providers import serving
from farthing.instrumentation.observing import observers
from tests.instrumentation.sink import instrumented, sink

HERE = Path(__file__).parent
REAL_AGENT = str(HERE / "guard/real_agent.py")


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({}, ["FingerprintObserver"]),
        ({"FARTHING_FINGERPRINTS": "off"}, []),
        ({"FARTHING_BUDGET_USD": "1"}, ["FingerprintObserver", "Guard"]),
        ({"FARTHING_ON_LOOP": "warn"}, ["FingerprintObserver", "Guard"]),
        ({"FARTHING_ON_LOOP": "off"}, ["FingerprintObserver"]),
        ({"FARTHING_BUDGET_USD": "a lot"}, ["FingerprintObserver"]),
    ],
)
def test_the_environment_decides(
    environment: Mapping[str, str], names: list[str], tmp_path: Path
) -> None:
    """Fingerprints unless they are switched off; a guard where a limit is set."""
    found = observers(environment, key_folder=tmp_path)
    assert [type(observer).__name__ for observer in found] == names


def test_wrong_settings_are_said(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """An agent starts all the same, without a guard, and the log says why."""
    observers({"FARTHING_BUDGET_USD": "a lot"}, key_folder=tmp_path)
    assert "the guard is off" in caplog.text
    assert "'a lot' is no amount of US dollars" in caplog.text


def test_without_a_guard_neither_it_nor_the_price_book_is_loaded(
    tmp_path: Path,
) -> None:
    """What an agent without limits pays for is fingerprints alone; a guard that counts
    steps loads no prices before a call is settled."""
    code = (
        "import sys; from pathlib import Path\n"
        "from farthing.instrumentation.observing import observers\n"
        f"observers({{}}, key_folder=Path({str(tmp_path)!r}))\n"
        "print('farthing.instrumentation.guard.guard' in sys.modules)\n"
        "observers({'FARTHING_BUDGET_USD': '1'}, key_folder=Path('.'))\n"
        "print('farthing.economics.prices' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "False"]


BREAKS = {
    "fingerprints": (
        "from farthing.instrumentation.fingerprints import hashes\n"
        "hashes.Hasher.hash = broken\n"
    ),
    "key": (
        "from farthing.instrumentation import observing\nobserving.load_key = broken\n"
    ),
    "guard": (
        "from farthing.instrumentation.guard import runs\nruns.Runs.state = broken\n"
    ),
    "observers": (
        "from farthing.instrumentation import observing\nobserving.observers = broken\n"
    ),
}


@pytest.mark.parametrize("place", BREAKS)
def test_our_own_failures_do_not_reach_the_agent(place: str) -> None:
    """Wherever our code breaks, the agent makes all its calls, its spans are sent, and
    one line says what happened."""
    code = (
        "import runpy, sys\n"
        "def broken(*_, **__): raise RuntimeError('broken on purpose')\n"
        f"{BREAKS[place]}"
        f"sys.argv = ['agent', '2', '3']\n"
        f"runpy.run_path({REAL_AGENT!r}, run_name='__main__')\n"
    )
    with sink() as collector, serving() as providers:
        done = instrumented(
            collector.url,
            sys.executable,
            "-c",
            code,
            PROVIDERS=providers.url,
            FARTHING_BUDGET_STEPS="100" if place == "guard" else "",
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == ["done", "done"]
        assert len(providers.bill.items) == 6
        spans = [span for span in collector.spans if span.name == "chat gpt-4.1"]
        assert len(spans) == 6
    said = [line for line in done.stderr.splitlines() if "broken on purpose" in line]
    assert len(said) == 1
