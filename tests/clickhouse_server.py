"""The ClickHouse server of our tests: the real engine behind the real protocol.

    with clickhouse_server(folder, writable=True) as server:
        clickhouse_connect.get_client(host="127.0.0.1", port=server.port)

The engine allows one folder per process and one process per folder, so the server is a
process of its own. `server.kill()` is `kill -9`; `server.start()` afterwards comes back
on the same folder and port. The same program can be run by hand:

    python tests/clickhouse_server.py FOLDER --port 8123 --writable
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from farthing.collector.web.clickhouse import clickhouse_app
from farthing.collector.web.clickhouse_engine import Engine, QueryLimits

LARGEST_INSERT_BYTES = 1024**3


@dataclass
class ClickHouseServer:
    """A server process and where to reach it.

    Args:
        folder: The engine's folder.
        writable: Whether statements may write; else the server reads only.
        database: What a read-only server serves.
        token: What clients must send, if anything.
        limits: Fields of QueryLimits that differ from their defaults.
    """

    folder: Path
    writable: bool
    database: str = "default"
    token: str | None = None
    limits: dict[str, int] = field(default_factory=dict)
    port: int = 0
    _process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Where the interface is, without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process, for a test that looks at it from outside."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, and wait until the port answers."""
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(self.folder.absolute()), *self._options()],
            cwd=self.folder.parent,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            message = f"the ClickHouse server on {self.folder} did not start"
            raise RuntimeError(message)
        self.port = json.loads(line)["port"]

    def stop(self) -> None:
        """End it in good order."""
        self._end(kill=False)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(kill=True)

    def _end(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if process is not None:
            if kill:
                process.kill()
            else:
                process.terminate()
            process.communicate()

    def _options(self) -> list[str]:
        options = ["--port", str(self.port), "--database", self.database]
        options += ["--writable"] if self.writable else []
        options += ["--token", self.token] if self.token else []
        return [*options, "--limits", json.dumps(self.limits)]


@contextmanager
def clickhouse_server(
    folder: Path, *, writable: bool = False, **options: Any
) -> Iterator[ClickHouseServer]:
    """A server on `folder` for the duration of a block; see ClickHouseServer."""
    server = ClickHouseServer(folder, writable, **options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _serve(options: argparse.Namespace) -> None:
    listener = socket.create_server(("127.0.0.1", options.port))
    limits = QueryLimits(max_request_bytes=LARGEST_INSERT_BYTES)
    limits = dataclasses.replace(limits, **json.loads(options.limits))
    engine = Engine(options.folder, limits=limits)
    app = clickhouse_app(
        engine,
        database=options.database,
        writable=options.writable,
        token=options.token,
    )
    # Connections wait in the listener's queue until the loop runs.
    sys.stdout.write(json.dumps({"port": listener.getsockname()[1]}) + "\n")
    sys.stdout.flush()
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
    engine.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--writable", action="store_true")
    parser.add_argument("--database", default="default")
    parser.add_argument("--token")
    parser.add_argument("--limits", default="{}")
    return parser.parse_args()


if __name__ == "__main__":
    _serve(_options())
