"""rotel as a peer: OTLP in, its ClickHouse exporter out, into a sink that discards.

https://github.com/streamfold/rotel, the agent inside the Python package `rotel`,
installed into an environment of its own. What differs is said in the README: it
acknowledges from memory, does not price, and what it sends is not stored.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import Ports, get

VERSION = "0.0.1a15"
_STILL_S = 1.5  # the sink has had it all when nothing came for so long


@dataclass(frozen=True)
class Rotel:
    """A running rotel and its sink."""

    ports: Ports
    pid: int
    log: Path

    def delivered_at_s(self, *, timeout_s: float = 120.0) -> float:
        """Waits until the sink has it all; when the last of it came (epoch)."""
        deadline_s = time.time() + timeout_s
        while time.time() < deadline_s:
            stats = json.loads(get(self.ports.web, "/stats").body)
            if stats["last_s"] and time.time() - stats["last_s"] > _STILL_S:
                return float(stats["last_s"])
            time.sleep(0.1)
        raise RuntimeError("the sink's stream of rows did not end")

    def delivered_bytes(self) -> int:
        """How much came to the sink, compressed as rotel sends it."""
        return int(json.loads(get(self.ports.web, "/stats").body)["bytes"])

    def dropped(self) -> bool:
        """Whether its log says that it dropped data."""
        return "drop" in self.log.read_text(errors="replace").lower()


def install(folder: Path) -> Path:
    """The agent's binary, installed into `folder` if it is not there yet.

    Raises:
        subprocess.CalledProcessError: the package cannot be had.
    """
    found = list(folder.rglob("rotel-agent"))
    if not found:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        quiet = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        subprocess.run([*pip, f"rotel=={VERSION}"], check=True, env=quiet)
        found = list(folder.rglob("rotel-agent"))
    return found[0]


@contextmanager
def running(binary: Path, folder: Path) -> Iterator[Rotel]:
    """rotel and a sink, each a process of its own; `folder` takes their logs."""
    ports, log = Ports.free(), folder / "rotel.log"
    sink = [sys.executable, "-m", "benchmarks.ingest.sink", str(ports.web)]
    agent = [
        *(str(binary), "start", "--pid-file", str(folder / "rotel.pid")),
        *("--otlp-http-endpoint", f"127.0.0.1:{ports.http}"),
        *("--otlp-grpc-endpoint", f"127.0.0.1:{ports.grpc}"),
        *("--otlp-receiver-metrics-disabled", "--otlp-receiver-logs-disabled"),
        *("--exporter", "clickhouse"),
        *("--clickhouse-exporter-endpoint", f"http://127.0.0.1:{ports.web}"),
    ]
    with log.open("wb") as output, _process(sink, output) as _:
        _wait_for(ports.web)
        with _process(agent, output) as rotel:
            _wait_for(ports.http)
            yield Rotel(ports, rotel.pid, log)


@contextmanager
def _process(command: list[str], output: object) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=output, stderr=output)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int, *, timeout_s: float = 20.0) -> None:
    """Until something answers HTTP on `port`, whatever it answers."""
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            get(port, "/stats")
        except OSError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.05)
        else:
            return
