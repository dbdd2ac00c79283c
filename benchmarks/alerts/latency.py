"""`python -m benchmarks.alerts.latency`: from the end of a span to Slack's message.

A collector with a week of the demo's runs; then, one after the other, runs whose only
call costs more than three times the median of their kind, sent as their span ends.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.request import Request, urlopen

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from farthing.collector.app import Collector, collector
from farthing.collector.config import ledger_url, load_settings
from farthing.collector.demo.fleet import fleet
from farthing.collector.demo.workplace import Workplace, workplace
from farthing.collector.replay.send import send

KINDS = ("code-review", "research-brief", "support-triage")
EACH = 4  # of one kind more would be told as a storm
PATIENCE_S = 60


def main() -> None:
    """Print each latency, then the median and the 95th percentile."""
    with tempfile.TemporaryDirectory() as name, workplace(Path(name)) as office:
        took_s = sorted(asyncio.run(play(Path(name), office)))
    shown = " ".join(f"{one:.2f}" for one in took_s)
    last = took_s[min(len(took_s) - 1, round(0.95 * len(took_s)))]
    print(f"seconds from a span's end to its message: {shown}")
    print(f"median {took_s[len(took_s) // 2]:.2f} s, 95th percentile {last:.2f} s")


async def play(folder: Path, office: Workplace) -> list[float]:
    settings = load_settings(
        data_dir=folder,
        store=ledger_url(folder),
        cluster="",
        alerts_file=office.alerts_file,
        http_listen="127.0.0.1:0",
        grpc_listen="127.0.0.1:0",
        web_listen="127.0.0.1:0",
    )
    async with collector(settings) as running:
        return await asyncio.to_thread(measure, running, office)


def measure(running: Collector, office: Workplace) -> list[float]:
    week = (request.SerializeToString() for request in fleet(datetime.now(UTC)))
    send(week, running.addresses.http_url)
    until(lambda: len(office.messages()) >= 2 and not running.spool.waiting().requests)
    found = []
    for number in range(EACH * len(KINDS)):
        run_id, ended_s = f"dear-{number}", time.time()
        post(running.addresses.http_url, dear(run_id, KINDS[number % len(KINDS)]))
        until(partial(told, office, run_id))
        found.append(time.time() - ended_s)
    return found


def told(office: Workplace, run_id: str) -> bool:
    return any(run_id in post.text for post in office.messages())


def dear(run_id: str, task_type: str, *, output_tokens: int = 250_000) -> bytes:
    """One call of $2.50, or of another length, which ends now."""
    request = ExportTraceServiceRequest()
    span = (
        request.resource_spans.add()
        .scope_spans.add()
        .spans.add(
            trace_id=run_id.encode().ljust(16, b"."),
            span_id=run_id.encode()[-8:].ljust(8, b"."),
            name="chat gpt-5",
            start_time_unix_nano=time.time_ns() - 10**9,
            end_time_unix_nano=time.time_ns(),
        )
    )
    for key, value in {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.response.model": "gpt-5",
        "farthing.task.type": task_type,
        "farthing.task.id": run_id,
    }.items():
        span.attributes.append(KeyValue(key=key, value=AnyValue(string_value=value)))
    tokens = {
        "gen_ai.usage.input_tokens": 0,
        "gen_ai.usage.output_tokens": output_tokens,
    }
    for key, count in tokens.items():
        span.attributes.append(KeyValue(key=key, value=AnyValue(int_value=count)))
    return request.SerializeToString()


def post(url: str, body: bytes) -> None:
    headers = {"Content-Type": "application/x-protobuf"}
    with urlopen(Request(f"{url}/v1/traces", data=body, headers=headers)) as answer:
        assert answer.status == 200


def until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline_s, "no message within a minute"
        time.sleep(0.01)


if __name__ == "__main__":
    main()
