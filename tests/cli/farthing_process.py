"""`farthing` as a process of its own: one that ends, or a collector that stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from farthing.collector import presence
from farthing.collector.presence import Running

FARTHING = str(Path(sys.executable).parent / "farthing")
ANY_PORTS = [
    word
    for option in ("http", "grpc", "web")
    for word in (f"--{option}-listen", "127.0.0.1:0")
]


def environment(**extra: str) -> dict[str, str]:
    """This environment without settings of Farthing's own."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith("FARTHING_")}
    return {**ours, "COLUMNS": "80", **extra}


def farthing(
    *words: str | Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [FARTHING, *map(str, words)],
        capture_output=True,
        text=True,
        env=environment(**(env or {})),
        timeout=120,
        check=False,
    )


def answer(*words: str | Path, env: Mapping[str, str] | None = None) -> Any:
    """What a command says with --json; it must succeed."""
    ended = farthing(*words, "--json", env=env)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@contextmanager
def started(
    *words: str | Path, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A command that stays up; ended with SIGTERM unless it has ended by itself."""
    process = subprocess.Popen(
        [FARTHING, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**(env or {})),
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise


@dataclass(frozen=True)
class Up:
    """A collector that runs on `data_dir`."""

    process: subprocess.Popen[str]
    data_dir: Path
    running: Running


@contextmanager
def up(data_dir: Path, *, env: Mapping[str, str] | None = None) -> Iterator[Up]:
    """A collector on any free ports."""
    with started("up", "--data", data_dir, *ANY_PORTS, env=env) as process:
        read_until(process, "Point an agent here")
        found = presence.find(data_dir)
        assert found is not None
        yield Up(process, data_dir, found)


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """What a process prints, up to the line that holds `text`."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    assert process.stderr is not None
    raise AssertionError(f"ended early: {''.join(lines)}{process.stderr.read()}")
