"""Every call that was begun is told to its end, with the real SDKs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from farthing.collector.demo.providers import serving

AGENT = Path(__file__).with_name("listened.py")
ONCE_LEFT = [1, 1, 0]


@pytest.fixture(scope="module")
def heard() -> dict[str, list[int]]:
    """Case -> calls begun, calls ended, and those of them that were whole."""
    with serving() as providers:
        done = subprocess.run(
            [sys.executable, AGENT],
            env={**os.environ, "PROVIDERS": providers.url},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "farthing" not in done.stderr
    found: dict[str, list[int]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    "case",
    [
        "never_read",
        "left_after_one",
        "in_a_cycle",
        "raw_never_parsed",
        "of_anthropic_never_read",
        "async_never_read",
        "async_left_after_one",
        "async_of_anthropic_never_read",
    ],
)
def test_a_stream_that_is_dropped_was_left(
    heard: dict[str, list[int]], case: str
) -> None:
    """Nobody closes it, and perhaps nobody read an event of it: once nobody holds it,
    its call has ended, once, and was not whole."""
    assert heard[case] == ONCE_LEFT


@pytest.mark.parametrize("case", ["read_to_the_end", "raw_parsed_and_read"])
def test_a_stream_that_is_read_is_whole(heard: dict[str, list[int]], case: str) -> None:
    """That it is dropped afterwards, or the raw response before, changes nothing."""
    assert heard[case] == [1, 1, 1]


@pytest.mark.parametrize(
    "case", ["a_task_started_while_sending", "a_thread_started_while_sending"]
)
def test_what_is_started_while_a_call_is_sent_is_told_too(
    heard: dict[str, list[int]], case: str
) -> None:
    """A task or a thread inherits the context of the call that is being sent, but what
    it sends is a call of its own: a guard counts both."""
    assert heard[case] == [2, 2, 2]
