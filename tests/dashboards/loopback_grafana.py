"""A server on loopback that speaks the part of Grafana's HTTP API that a push uses.

Its answers are those that Grafana's documentation of the API gives: `/api/health`,
`/api/folders`, `/api/dashboards/uid/:uid`, `/api/dashboards/db`.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "glsa_loopback"
USER = base64.b64encode(b"admin:a b").decode()

Answer = tuple[int, Any]


class LoopbackGrafana:
    """What it holds, and what it was asked to write."""

    def __init__(self) -> None:
        self.url = ""
        self.version = "12.4.1"
        self.folders: dict[str, str] = {}
        self.dashboards: dict[str, dict[str, Any]] = {}
        self.folder_of: dict[str, str] = {}
        self.written: list[str] = []
        self.failure: Answer | None = None

    def get(self, path: str) -> Answer:
        if path == "/api/health":
            return 200, {"database": "ok", "version": self.version, "commit": "c0ffee"}
        if path == "/api/folders":
            return 200, [
                {"id": n, "uid": uid, "title": title}
                for n, (uid, title) in enumerate(self.folders.items())
            ]
        uid = path.removeprefix("/api/dashboards/uid/")
        if uid in self.dashboards:
            return 200, {"meta": {"slug": uid}, "dashboard": self.dashboards[uid]}
        return 404, {"message": "Dashboard not found", "status": "not-found"}

    def post(self, path: str, body: dict[str, Any]) -> Answer:
        if path == "/api/folders":
            uid = body.get("uid") or f"f{len(self.folders)}"
            self.folders[uid] = body["title"]
            return 200, {"id": 1, "uid": uid, "title": body["title"], "version": 1}
        if body["folderUid"] not in self.folders:
            return 400, {"message": "folder not found", "status": "not-found"}
        return self._save(body)

    def _save(self, body: dict[str, Any]) -> Answer:
        """Grafana numbers what it keeps, and writes over it only if told so."""
        uid = body["dashboard"]["uid"]
        before = self.dashboards.get(uid)
        if before and not body["overwrite"]:
            return 412, {"message": "The dashboard has been changed by someone else"}
        version = before["version"] + 1 if before else 1
        kept = {**body["dashboard"], "id": len(self.written) + 1, "version": version}
        self.dashboards[uid] = kept
        self.folder_of[uid] = body["folderUid"]
        self.written.append(uid)
        return 200, {"uid": uid, "status": "success", "version": version}


def _handler(grafana: LoopbackGrafana) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(lambda: grafana.get(self.path))

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = json.loads(self.rfile.read(length))
            self._answer(lambda: grafana.post(self.path, body))

        def _answer(self, answered: Any) -> None:
            status, value = grafana.failure or self._refused() or answered()
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(HTTPStatus(status))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _refused(self) -> Answer | None:
            told = self.headers.get("Authorization", "")
            if self.path == "/api/health" or told in (
                f"Bearer {TOKEN}",
                f"Basic {USER}",
            ):
                return None
            return 401, {"message": "Unauthorized"}

        def log_message(self, *args: Any) -> None:
            """Nothing on standard error."""

    return Handler


@contextmanager
def running() -> Iterator[LoopbackGrafana]:
    """A Grafana with nothing in it, at a port of the system's choice."""
    grafana = LoopbackGrafana()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(grafana))
    grafana.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}
    )
    thread.start()
    try:
        yield grafana
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
