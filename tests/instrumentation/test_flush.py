"""What waits is sent as a process ends."""

from __future__ import annotations

import atexit
import subprocess
import sys
import threading
from typing import Any

import pytest

from farthing.instrumentation.flush import Flusher


class Provider:
    """Python tells the SDK's providers of its end, unless they are taken from it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_down, self.is_ours = False, False
        monkeypatch.setattr(atexit, "unregister", self._taken)

    def _taken(self, handler: Any) -> None:
        self.is_ours = handler == self.shutdown

    def shutdown(self) -> None:
        self.is_down = True


def test_a_provider_is_shut_down_by_us_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a thread of ours, within our time, and no more by Python."""
    provider, flusher = Provider(monkeypatch), Flusher(timeout_s=60)
    flusher.take([provider])
    flusher.flush()
    assert (provider.is_down, provider.is_ours) == (True, True)


def test_without_a_thread_a_provider_sends_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the interpreter starts none any more, nobody waits for it, and Python tells
    the provider of its end."""

    def cannot(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    provider, flusher = Provider(monkeypatch), Flusher(timeout_s=60)
    monkeypatch.setattr(threading.Thread, "start", cannot)
    with pytest.raises(RuntimeError):
        flusher.take([provider])
    flusher.flush()
    assert (provider.is_down, provider.is_ours) == (False, False)


CHILD_WITHOUT_THREADS = """
import os, sys, threading
from farthing.instrumentation.flush import Flusher

def cannot(_thread):
    raise RuntimeError("can't start new thread")

class Provider:
    def shutdown(self):
        print("child" if os.getpid() != parent else "parent", "sends", flush=True)

parent = os.getpid()
os.register_at_fork(after_in_child=lambda: setattr(threading.Thread, "start", cannot))
flusher = Flusher(timeout_s=30)
flusher.install()
flusher.take([Provider()])
if os.fork():
    os.wait()
else:
    sys.exit()
"""


def test_a_forked_child_without_a_thread_sends_by_itself() -> None:
    """Where a child can start no thread it does not wait for the parent's: Python tells
    its providers of its end."""
    ended = subprocess.run(
        [sys.executable, "-c", CHILD_WITHOUT_THREADS],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout == "child sends\nparent sends\n"
    assert "did not take all spans" not in ended.stderr
