"""`kill -9` after an insert that was not written, before anyone has looked at it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("table", "how"),
    [
        ("spans", "cut off"),
        ("runs", "not renamed"),
        ("spend_hourly", "cut off a little"),
    ],
)
def test_what_was_not_written_is_loaded_again(
    tmp_path: Path, table: str, how: str
) -> None:
    """A batch of which the engine has the token and, in one table, not the rows, is
    in every table once after the next start."""
    killed = _run(tmp_path, table, how)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    after = _run(tmp_path, table, "not at all")
    assert json.loads(after.stdout or "{}") == {"spans": 3, "runs": 3, "hours": 3}, (
        after.stderr
    )


def _run(folder: Path, table: str, how: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.load.killed", str(folder), table, how],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
