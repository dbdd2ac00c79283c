"""`farthing run -- PROGRAM` and `farthing doctor --agent`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from click.testing import CliRunner
from opentelemetry.util._importlib_metadata import entry_points

from farthing import semconv
from farthing.cli import main
from tests.cli.farthing_process import farthing, up
from tests.instrumentation.sink import Sink, sink

CODE = "from opentelemetry import trace; trace.get_tracer('t').start_span('made').end()"


@pytest.fixture(scope="module")
def collector() -> Iterator[Sink]:
    with sink() as found:
        yield found


def test_a_program_runs_instrumented(collector: Sink) -> None:
    """The program's spans arrive at the endpoint that is named, with the tags that are
    named; its arguments, output and exit code are its own."""
    code = f"{CODE}\nimport sys; print(sys.argv[1:]); sys.exit(3)"
    tags = ("--task-type", "review", "--team", "t", "--endpoint", collector.url)
    ended = farthing("run", *tags, "--", sys.executable, "-c", code, "--flag", "show")
    assert (ended.returncode, ended.stdout) == (3, "['--flag', 'show']\n")
    assert ended.stderr == ""
    span = collector.named("made")
    assert span[semconv.TASK_TYPE] == "review"
    assert span[semconv.TEAM] == "t"


def test_a_program_that_is_not_there_is_a_wrong_question() -> None:
    """A name that is no program is said, and the exit code is 2, whatever its name."""
    for words in (("nosuch",), ("--", "show")):
        ended = CliRunner().invoke(main, ["run", *words])
        assert ended.exit_code == 2
        assert "there is no program" in ended.stderr


def doctor(monkeypatch: pytest.MonkeyPatch, **env: str) -> tuple[int, Any]:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    ended = CliRunner().invoke(main, ["doctor", "--agent", "--json"])
    return ended.exit_code, json.loads(ended.stdout)


def test_an_agents_environment_can_be_well(
    collector: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a task type and a collector that answers all is well, and each library that
    is installed is told with what instruments it."""
    code, found = doctor(
        monkeypatch,
        FARTHING_TASK_TYPE="review",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
    )
    checks = {check["check"]: check for check in found["checks"]}
    assert (code, found["ok"]) == (0, True)
    assert checks["endpoint"]["status"] == "ok"
    assert "genai-openai" in checks["openai"]["says"]


def test_what_is_wrong_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wrong value, a misspelt name, a sampler that drops calls, content that would
    leave the process, and a collector that does not answer."""
    code, found = doctor(
        monkeypatch,
        FARTHING_TASK_TYPE="x" * 300,
        FARTHING_BUSINES_UNIT="b",
        OTEL_TRACES_SAMPLER="traceidratio",
        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="span_only",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
        OTEL_PYTHON_DISTRO="vendor",
        FARTHING_BUDGET_USD="much",
    )
    told = {check["check"]: check for check in found["checks"] if check["do"]}
    assert (code, found["ok"]) == (1, False)
    assert {"sampler", "content", "endpoint", "distro", "guard"} <= set(told)
    said = json.dumps(found)
    assert "FARTHING_TASK_TYPE is ignored" in said
    assert "is it FARTHING_BUSINESS_UNIT?" in said


def test_an_endpoint_without_scheme_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address alone is no URL: the advice is what to write before it."""
    code, found = doctor(monkeypatch, OTEL_EXPORTER_OTLP_ENDPOINT="127.0.0.1:4318")
    [told] = [one for one in found["checks"] if one["check"] == "endpoint"]
    assert (code, told["status"]) == (1, "problem")
    assert told["do"] == "write http:// before it"


def test_a_path_that_is_written_twice_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An endpoint with the path of traces, which is added to it, is told as such."""
    with up(tmp_path) as running:
        url = f"{running.running.http_url}/v1/traces"
        code, found = doctor(monkeypatch, OTEL_EXPORTER_OTLP_ENDPOINT=url)
    [told] = [one for one in found["checks"] if one["check"] == "endpoint"]
    assert (code, told["status"]) == (1, "problem")
    assert told["do"] == "leave /v1/traces away from OTEL_EXPORTER_OTLP_ENDPOINT"


def test_the_port_of_grpc_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP sent to the gRPC port is a problem that names the port of HTTP."""
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        url = f"http://127.0.0.1:{port}"
        code, found = doctor(monkeypatch, OTEL_EXPORTER_OTLP_ENDPOINT=url)
    finally:
        server.stop(None)
    [told] = [one for one in found["checks"] if one["check"] == "endpoint"]
    assert (code, told["status"]) == (1, "problem")
    assert "speaks gRPC, not HTTP" in told["says"]
    assert ":4318" in told["do"]


def test_a_website_is_no_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that says 200 to everything would swallow the spans without a word."""
    with sink() as site:
        site.content_type = "text/html; charset=utf-8"
        code, found = doctor(monkeypatch, OTEL_EXPORTER_OTLP_ENDPOINT=site.url)
    [told] = [one for one in found["checks"] if one["check"] == "endpoint"]
    assert (code, told["status"]) == (1, "problem")
    assert "no collector is there" in told["says"]


@pytest.mark.parametrize(("installed", "code"), [(True, 0), (False, 1)])
def test_grpc_needs_its_exporter(
    monkeypatch: pytest.MonkeyPatch, *, installed: bool, code: int
) -> None:
    """Where gRPC is asked for and its exporter is not installed nothing is recorded:
    a problem that says what to install, or what to unset."""

    def others(**wanted: str) -> Any:
        found = entry_points(**wanted)
        return [one for one in found if installed or one.name != "otlp_proto_grpc"]

    monkeypatch.setattr("farthing.cli.checks.agent.entry_points", others)
    ended, found = doctor(monkeypatch, OTEL_EXPORTER_OTLP_PROTOCOL="grpc")
    [told] = [one for one in found["checks"] if one["check"] == "exporter"]
    assert (ended, told["status"]) == (code, "warning" if installed else "problem")
    if not installed:
        assert "opentelemetry-exporter-otlp-proto-grpc" in told["do"]
    assert "unset OTEL_EXPORTER_OTLP_PROTOCOL" in told["do"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("bad.yaml", "free: []", "reads JSON only"),
        ("bad.json", '{"modle": []}', "modle"),
        ("away.json", None, "cannot be read"),
        ("good.json", '{"free": [{"provider": "ollama"}]}', None),
    ],
)
def test_the_guards_prices_are_checked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    text: str | None,
    says: str | None,
) -> None:
    """A price file that the guard leaves out is a problem that says why."""
    file = tmp_path / name
    if text is not None:
        file.write_text(text)
    monkeypatch.setenv("FARTHING_PRICES_FILE", str(file))
    _, found = doctor(monkeypatch, FARTHING_BUDGET_USD="0.5")
    [told] = [one for one in found["checks"] if one["check"] == "guard"]
    assert told["status"] == ("problem" if says else "ok")
    assert (says or "on") in told["says"]
