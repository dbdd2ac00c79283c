"""One case of load, and all that is measured while it is sent and loaded."""

from __future__ import annotations

import dataclasses
import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from benchmarks.blocks import Blocks, Requests
from benchmarks.ingest.generator import Acknowledged, Load
from benchmarks.process import Collector, cpu_s, resident_bytes

_PROBE_STREAM = 200
_PROBE_EVERY_S = 0.5
_LEAST_POLL_S, _POLL_SHARE = 0.1, 0.1


@dataclass(frozen=True)
class Measured:
    """A case and its figures; every rate is over the spans of the case."""

    load: Load
    acknowledged: Acknowledged
    queryable_s: float
    cpu_s: float
    idle_bytes: int
    peak_bytes: int
    end_to_end_s: list[float]

    @property
    def spans(self) -> int:
        return self.acknowledged.spans

    @property
    def acknowledged_per_s(self) -> float:
        return self.spans / self.acknowledged.elapsed_s

    @property
    def queryable_per_s(self) -> float:
        """From the first request's sending until the last span could be queried."""
        return self.spans / self.queryable_s

    @property
    def cpu_s_per_million(self) -> float:
        return self.cpu_s / self.spans * 1e6

    @property
    def generator_s_per_million(self) -> float:
        """What sending cost on the same machine: where it is near the collector's, the
        generator is what is measured."""
        return self.acknowledged.generator_cpu_s / self.spans * 1e6

    def end_to_end(self, percentile: float) -> float:
        """From sending a span to seeing it in a query."""
        return float(np.percentile(self.end_to_end_s, percentile))


def generate(load: Load) -> Acknowledged:
    """Send `load` from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.ingest.generator"]
    arguments = json.dumps(dataclasses.asdict(load))
    done = subprocess.run([*command, arguments], check=True, stdout=subprocess.PIPE)
    return Acknowledged(**json.loads(done.stdout))


def measure(collector: Collector, load: Load) -> Measured:
    """Send `load` to a collector that is up and idle; wait until it can be queried."""
    before = collector.number("SELECT count() FROM spans")
    idle_bytes, cpu_before_s = resident_bytes(collector.pid), cpu_s(collector.pid)
    probe, memory = Probe(collector), Memory(collector.pid)
    with Repeating(probe.once, _PROBE_EVERY_S), Repeating(memory.once, 0.1):
        acknowledged = generate(load)
        _wait_for_rows(collector, lambda: before + acknowledged.spans + probe.sent)
        queryable_s = time.time() - acknowledged.started_s
    return Measured(
        load=load,
        acknowledged=acknowledged,
        queryable_s=queryable_s,
        cpu_s=cpu_s(collector.pid) - cpu_before_s,
        idle_bytes=idle_bytes,
        peak_bytes=memory.peak_bytes,
        end_to_end_s=probe.seen_s,
    )


def _wait_for_rows(collector: Collector, expected: Callable[[], int]) -> None:
    started_s = time.monotonic()
    while (rows := collector.number("SELECT count() FROM spans")) < expected():
        if time.monotonic() > started_s + 300:
            raise RuntimeError(f"{rows} of {expected()} spans can be queried")
        time.sleep(_LEAST_POLL_S)


@dataclass
class Memory:
    """The most memory that a process was seen with."""

    pid: int
    peak_bytes: int = 0

    def once(self) -> None:
        """Look now."""
        self.peak_bytes = max(self.peak_bytes, resident_bytes(self.pid))


@dataclass
class Probe:
    """Sends marked spans and times how long each takes until a query sees it."""

    collector: Collector
    seen_s: list[float] = field(default_factory=list)
    sent: int = 0
    _source: Requests = field(
        default_factory=lambda: Requests(
            Blocks(stream=_PROBE_STREAM, task_type="probe"), spans=1
        )
    )

    def once(self) -> None:
        """One span there and back."""
        body = self._source.next()
        run_id, span_id = _ids(body)
        started_s = time.perf_counter()
        self._post(body)
        self.sent += 1
        seen_sql = (
            "SELECT count() FROM spans"
            f" WHERE run_id = '{run_id}' AND lower(span_id) = '{span_id}'"
        )
        while not self.collector.number(seen_sql):
            # Each look costs milliseconds of CPU: the longer it takes, the fewer.
            waited_s = time.perf_counter() - started_s
            time.sleep(max(_LEAST_POLL_S, _POLL_SHARE * waited_s))
        self.seen_s.append(time.perf_counter() - started_s)

    def _post(self, body: bytes) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.collector.ports.http)
        try:
            headers = {"content-type": "application/x-protobuf"}
            connection.request("POST", "/v1/traces", body, headers)
            status = connection.getresponse().status
        finally:
            connection.close()
        if status != 200:
            raise RuntimeError(f"the probe was answered {status}")


def _ids(request: bytes) -> tuple[str, str]:
    """Run and span id of a request with one span."""
    message = ExportTraceServiceRequest.FromString(request)
    [span] = message.resource_spans[0].scope_spans[0].spans
    values = {a.key: a.value.string_value for a in span.attributes}
    return values["farthing.task.id"], span.span_id.hex()


class Repeating:
    """Does something again and again in a thread while a block runs.

    An error of the thread is raised at the end of the block.
    """

    def __init__(self, do: Callable[[], None], every_s: float) -> None:
        self._do = do
        self._every_s = every_s
        self._over = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._repeat)

    def _repeat(self) -> None:
        try:
            while not self._over.wait(self._every_s):
                self._do()
        except Exception as error:  # noqa: BLE001 - raised in __exit__
            self._error = error

    def __enter__(self) -> Repeating:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self._error is not None:
            raise self._error
