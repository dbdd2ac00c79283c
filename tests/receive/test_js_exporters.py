"""JavaScript's exporters, from npm: HTTP/JSON and HTTP/protobuf."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from farthing.collector.receive.settings import ReceiveSettings
from tests.receive.running import Running, running

SOURCES = Path(__file__).parent / "js"
INSTALLED = Path(__file__).parents[2] / "build" / "js-exporters"

pytestmark = [
    pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed"),
    pytest.mark.parametrize("kind", ["http", "proto"]),
]


@pytest.fixture(scope="session")
def exporters() -> Path:
    """The exporters, installed once into the build folder."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    manifest = (SOURCES / "package.json").read_text()
    with (INSTALLED / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        marker = INSTALLED / "installed.json"
        if not marker.exists() or marker.read_text() != manifest:
            shutil.copy(SOURCES / "package.json", INSTALLED)
            install = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund"]
            subprocess.run(install, cwd=INSTALLED, check=True, timeout=300)
            marker.write_text(manifest)
    return INSTALLED


def export(exporters: Path, *arguments: str) -> dict[str, Any]:
    shutil.copy(SOURCES / "export.mjs", exporters)
    command = ["node", "export.mjs", *arguments]
    run = subprocess.run(
        command, cwd=exporters, check=True, timeout=60, capture_output=True
    )
    verdict: dict[str, Any] = json.loads(run.stdout)
    return verdict


def only_request(receiver: Running) -> ExportTraceServiceRequest:
    (body,) = receiver.spool.requests
    return ExportTraceServiceRequest.FromString(body)


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_spans_arrive(
    receiver: Running, exporters: Path, kind: str, compression: str
) -> None:
    """What the exporter sent is stored, with its ids, numbers and links."""
    url = f"{receiver.http_url}/v1/traces"
    verdict = export(exporters, kind, url, compression)
    assert verdict["error"] is None
    (resource,) = only_request(receiver).resource_spans
    spans = resource.scope_spans[0].spans
    assert [[s.trace_id.hex(), s.span_id.hex()] for s in spans] == verdict["ids"]
    values = {a.key: a.value for a in spans[0].attributes}
    assert values["gen_ai.usage.input_tokens"].int_value == 1200
    assert values["cost"].double_value == 0.5
    assert values["stream"].bool_value
    assert [v.string_value for v in values["tags"].array_value.values] == ["a", "b"]
    assert spans[0].status.message == "söße"
    assert len(spans[0].links[0].trace_id) == 16
    assert spans[0].end_time_unix_nano >= spans[0].start_time_unix_nano > 10**18


def test_backpressure(receiver: Running, exporters: Path, kind: str) -> None:
    """Told to wait, the exporter sends again and loses nothing."""
    receiver.spool.refuse(1)
    verdict = export(exporters, kind, f"{receiver.http_url}/v1/traces", "none")
    assert verdict["error"] is None
    assert not receiver.spool.refusals
    assert len(only_request(receiver).resource_spans) == 1


def test_token(exporters: Path, kind: str) -> None:
    """With the token in its headers the exporter is let in, without it is not."""
    settings = ReceiveSettings(http_port=0, grpc_port=0, token="s3cret")
    with running(settings) as receiver:
        url = f"{receiver.http_url}/v1/traces"
        refused = export(exporters, kind, url, "none")
        assert refused["code"] == 1
        assert not receiver.spool.requests
        bearer = "Authorization=Bearer s3cret"
        assert export(exporters, kind, url, "none", bearer)["error"] is None
        assert len(receiver.spool.requests) == 1
