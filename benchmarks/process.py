"""The program under test as a process of its own, and what it takes of the machine."""

from __future__ import annotations

import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import quote

COMMAND = (str(Path(sys.executable).with_name("farthing")), "up")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_HOST = "127.0.0.1"
_OWN_PORTS = range(20_000, 32_000)
"""Below those that Linux gives to outgoing connections."""


@dataclass(frozen=True)
class Ports:
    """Where a collector listens, on the loopback."""

    http: int
    grpc: int
    web: int

    @classmethod
    def free(cls) -> Ports:
        """Three ports that are free now, none of which an outgoing connection takes
        while what listens there is started again."""
        free = filter(_is_free, random.sample(_OWN_PORTS, len(_OWN_PORTS)))
        return cls(*islice(free, 3))


class Collector:
    """`farthing up` on a data folder; it listens on the same ports after a restart.

    `environment` is what it finds there beside ours: its settings. `ledger_port` is
    where its ledger is asked, where that is on a server.
    """

    def __init__(
        self,
        data: Path,
        *,
        ports: Ports | None = None,
        environment: Mapping[str, str] | None = None,
        ledger_port: int | None = None,
    ) -> None:
        self.data = data
        self.ports = ports or Ports.free()
        self._ledger_port = ledger_port or self.ports.web
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, timeout_s: float = 60.0, until: str = "/readyz") -> None:
        """Start it and wait until it is ready, or until another path says yes.

        The only place that knows the command line; ports are chosen here, so nothing
        that it prints needs to be read.
        """
        with (self.data.parent / "collector.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(*COMMAND, "--data", str(self.data)),
                    *("--http-listen", f"{_HOST}:{self.ports.http}"),
                    *("--grpc-listen", f"{_HOST}:{self.ports.grpc}"),
                    *("--web-listen", f"{_HOST}:{self.ports.web}"),
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
            )
        self.wait_until(until, timeout_s=timeout_s)

    def wait_until(self, path: str = "/readyz", *, timeout_s: float = 60.0) -> None:
        """Wait until a path says yes; RuntimeError if that never happens."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            if self._running.poll() is not None:
                break
            if self._says_yes(path):
                return
            time.sleep(0.05)
        self.kill()
        log = (self.data.parent / "collector.log").read_text(errors="replace")
        raise RuntimeError(f"the collector did not become ready:\n{log[-2000:]}")

    def _says_yes(self, path: str) -> bool:
        try:
            return get(self.ports.http, path).status == 200
        except OSError:
            return False

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the collector was not started")
        return self._process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._running.pid

    def kill(self) -> None:
        """`kill -9`."""
        self._running.kill()
        self._running.wait()

    def stop(self, *, timeout_s: float = 60.0) -> None:
        """Ask it to end, and wait; kills it if it does not."""
        self._running.send_signal(signal.SIGTERM)
        try:
            self._running.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def query(self, sql: str) -> list[list[str]]:
        """Rows of a query over the web port, each value as text."""
        answer = get(self._ledger_port, f"/?query={quote(sql)}")
        text = answer.body.decode()
        if answer.status != 200:
            raise RuntimeError(f"{sql}: {answer.status} {text}")
        return [line.split("\t") for line in text.splitlines()]

    def number(self, sql: str) -> int:
        """The one number that a query answers."""
        [[value]] = self.query(sql)
        return int(value)

    def metric(self, name: str) -> float:
        """A metric without labels."""
        text = get(self.ports.http, "/metrics").body.decode()
        [line] = [one for one in text.splitlines() if one.startswith(f"{name} ")]
        return float(line.split()[1])


@dataclass(frozen=True)
class Answer:
    """What an HTTP server said."""

    status: int
    body: bytes


def _is_free(port: int) -> bool:
    try:
        socket.create_server((_HOST, port)).close()
    except OSError:
        return False
    return True


def get(port: int, path: str) -> Answer:
    """GET a path of a loopback server."""
    connection = http.client.HTTPConnection(_HOST, port, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return Answer(response.status, response.read())
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        connection.close()


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used, user and system, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def resident_bytes(pid: int) -> int:
    """Resident memory of a process now."""
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [one for one in status.splitlines() if one.startswith("VmRSS:")]
    return int(line.split()[1]) * 1024
