"""Nothing of ours raises into an agent: each hook is broken, and the agent works on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.instrumentation.broken import EXPECTED
from tests.instrumentation.hooks import AT_START, labels
from tests.instrumentation.sink import environment

ROOT = Path(__file__).parents[2]
PARENT = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"


@pytest.fixture(scope="module")
def tried() -> dict[str, dict[str, Any]]:
    """What became of agents with one hook broken each, by the hook."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.instrumentation.broken", *AT_START],
        cwd=ROOT,
        env=environment("", OTEL_TRACES_EXPORTER="none", TRACEPARENT=PARENT),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    return {one["label"]: one for one in found}


@pytest.mark.parametrize("label", labels())
def test_a_broken_hook_is_not_noticed(
    tried: dict[str, dict[str, Any]], label: str
) -> None:
    """With a hook of ours failing each time that it is reached, an agent's calls,
    threads, pools, programs and workers come to what they come to without us, and
    SIGTERM ends it as it would without us."""
    found = tried[label]
    assert found["reached"], "no work of the test reaches it"
    assert found["work"] == EXPECTED
    assert found["signal"] == signal.SIGTERM
