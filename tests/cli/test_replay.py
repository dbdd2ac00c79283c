"""Recorded telemetry ends up in the ledger, whichever way it goes there."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from farthing.collector.replay.files import read
from tests.cli.conftest import CAPTURES, Ask
from tests.cli.farthing_process import answer, farthing, up

_LOADING = {"load", "load_position", "ingested_at"}
_CALLS = """
SELECT scope, sum(s.calls) AS calls, sum(input_tokens) AS input,
    sum(cache_read_tokens) AS cache_read,
    sum(cache_write_5m_tokens + cache_write_1h_tokens) AS cache_write,
    sum(input_audio_tokens) AS audio_in,
    sum(output_tokens + reasoning_tokens) AS output,
    sum(output_audio_tokens) AS audio_out
FROM spans AS s WHERE s.calls != 0 GROUP BY scope ORDER BY scope
"""


def test_captures_give_what_was_billed(ask: Ask) -> None:
    """The captures give the calls that were billed, each once: Anthropic's ten belong
    to its own SDK's spans, with the tokens that were billed, and not to those of the
    instrumentations around it."""
    told = ask.json("sql", _CALLS)
    one = {"input": 50, "cache_read": 2000, "cache_write": 700, "output": 300}
    ten = {"calls": 10, **{name: 10 * tokens for name, tokens in one.items()}}
    native = "com.anthropic.sdk.python"
    [row] = [row for row in told if row["scope"] == native]
    assert row == {"scope": native, **ten, "audio_in": 0, "audio_out": 0}
    calls = {row["scope"]: row["calls"] for row in told}
    assert calls == {
        native: 10,
        "openinference.instrumentation.openai": 4,
        "opentelemetry.instrumentation.anthropic": 0,
        "opentelemetry.instrumentation.genai.anthropic": 0,
        "opentelemetry.instrumentation.genai.langchain": 3,
        "opentelemetry.instrumentation.genai.openai": 14,
        "opentelemetry.instrumentation.openai.v1": 5,
    }


def test_the_wire_gives_the_same(tmp_path: Path, replayed: Path, ask: Ask) -> None:
    """Captures sent to a collector by URL can be queried as soon as the command ends,
    and give what loading them into a folder gives. Sent again, they count once."""
    with up(tmp_path) as found:
        for _ in range(2):
            ended = farthing(
                "replay", *CAPTURES.values(), "--to", found.running.http_url
            )
            assert ended.stdout == "58 spans in 31 requests.\n", ended.stderr
            assert Ask(tmp_path).json("sql", _CALLS) == ask.json("sql", _CALLS)


def test_json_lines_replay_too(tmp_path: Path, own_ledger: Path) -> None:
    """A `.jsonl` of the same requests gives the same ledger as the `.pb`."""
    file = tmp_path / "langchain.jsonl"
    requests = read(CAPTURES["official-langchain"])
    file.write_text("".join(json.dumps(line) + "\n" for line in map(as_otlp, requests)))
    data_dir = tmp_path / "data"
    sent = answer("replay", file, "--data", data_dir)
    assert sent == {"spans": 6, "requests": 2, "rejected_spans": 0}
    assert _spans_of(data_dir) == _spans_of(own_ledger)


def _spans_of(data_dir: Path) -> list[dict[str, Any]]:
    """Every span of a ledger, without what tells how it was loaded."""
    query = "SELECT * FROM spans ORDER BY time, span_id"
    rows = answer("sql", query, "--data", data_dir)
    return [{k: v for k, v in row.items() if k not in _LOADING} for row in rows]


def test_a_torn_file_counts_up_to_the_tear(tmp_path: Path) -> None:
    """Of a file that is cut off, what stands before the cut is loaded; the error says
    where the cut is and how much that was, and the command ends with 1."""
    torn = tmp_path / "torn.pb"
    torn.write_bytes(CAPTURES["official-openai"].read_bytes()[:3000])
    ended = farthing("replay", torn, "--data", tmp_path / "data")
    assert ended.returncode == 1
    assert "byte 2088: the file ends within a request" in ended.stderr
    assert "sent before that: 2 requests (2 spans)" in ended.stderr
    [spans] = answer(
        "sql", "SELECT count() AS n FROM spans", "--data", tmp_path / "data"
    )
    assert spans["n"] == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.txt", b"hello"), ("a.pb", b"hello, this is no protobuf"), ("a.jsonl", b"{")],
)
def test_a_foreign_file_is_refused_before_anything_is_sent(
    name: str, content: bytes, tmp_path: Path
) -> None:
    """A file of another kind is told with 2, and the good one before it is not sent."""
    (tmp_path / name).write_bytes(content)
    good = str(CAPTURES["official-langchain"])
    result = Ask(tmp_path / "data")("replay", good, str(tmp_path / name))
    assert result.exit_code == 2
    assert result.stderr.endswith("; nothing was sent\n")
    assert not (tmp_path / "data").exists()


def test_nobody_there_is_said(tmp_path: Path) -> None:
    """An address where nothing listens, or that is none, is a wrong question."""
    good = str(CAPTURES["official-langchain"])
    for url in ("http://127.0.0.1:9", "127.0.0.1"):
        ended = farthing("replay", good, "--to", url)
        assert ended.returncode == 2
        assert "sent before that: 0 requests" in ended.stderr
    both = farthing("replay", good, "--to", "http://127.0.0.1:9", "--data", tmp_path)
    assert both.returncode == 2


def as_otlp(request: bytes) -> Any:
    """A request in OTLP's JSON: as protobuf's, but ids are hex and enums numbers."""
    message = ExportTraceServiceRequest.FromString(request)
    made = MessageToDict(message, use_integers_for_enums=True)
    for span in _spans(made):
        for name in ("traceId", "spanId", "parentSpanId"):
            if name in span:
                span[name] = base64.b64decode(span[name]).hex()
    return made


def _spans(request: Any) -> Iterator[Any]:
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            yield from scope["spans"]
