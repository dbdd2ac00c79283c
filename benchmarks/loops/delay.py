"""How long it takes from a span's arrival until what it leads to can be queried."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.blocks import Blocks, Requests
from benchmarks.ingest.generator import Load
from benchmarks.ingest.measure import Repeating, generate
from benchmarks.loops.spans import SAME, request, spans_of
from benchmarks.process import Collector
from farthing.economics.loops import Step

_CALLS: Final = 4
"""So many equal calls are confirmed to be a loop."""
_EVERY_S: Final = 0.3
_POLL_S: Final = 0.05
_TIMEOUT_S: Final = 60.0
_PREPARED: Final = 100
_PACES: Final = {"160 spans/s": (16, 0.1), "10,240 spans/s": (512, 0.05)}
"""Spans a request, and how often it is sent (s)."""
_LOAD_SPANS: Final = 512
_LOAD_CONNECTIONS: Final = 8


@dataclass
class Delay:
    """From the moment before a request is sent until its span, and the finding that it
    leads to, are seen by a query, one of twenty a second."""

    name: str
    span_s: list[float] = field(default_factory=list)
    finding_s: list[float] = field(default_factory=list)

    def span(self, percentile: float) -> float:
        return float(np.percentile(self.span_s, percentile))

    def finding(self, percentile: float) -> float:
        return float(np.percentile(self.finding_s, percentile))


class Probe:
    """Runs that are one call short of a confirmed loop; each makes that call once.

    Calls are sent at a pace of their own, whatever has been seen of earlier ones.
    """

    def __init__(self, collector: Collector, delay: Delay) -> None:
        self._collector = collector
        self._delay = delay
        turn = [Step(kind="llm", name="llm"), SAME]
        first_ns = time.time_ns() - 60 * 10**9
        names = [f"{delay.name} {n}" for n in range(_PREPARED)]
        self._left = {
            name: list(spans_of(name, turn * _CALLS, first_ns=first_ns))
            for name in names
        }
        self._unseen_spans: dict[str, float] = {}
        self._unseen_findings: dict[str, float] = {}

    def prepare(self) -> None:
        """Send all but the last call of each run, and wait until that is watched."""
        _post(self._collector, request(s for r in self._left.values() for s in r[:-1]))
        for waiting in ("farthing_spool_requests", "farthing_watch_waiting_batches"):
            while self._collector.metric(waiting):
                time.sleep(_POLL_S)

    def send(self) -> None:
        """One call; none if all were made."""
        if not self._left:
            return
        run_id, spans = self._left.popitem()
        sent_s = time.perf_counter()
        self._unseen_spans[run_id] = self._unseen_findings[run_id] = sent_s
        _post(self._collector, request(spans[-1:]))

    def look(self) -> None:
        """See what can be queried by now."""
        self._look(_SPANS, self._unseen_spans, self._delay.span_s)
        self._look(_FINDINGS, self._unseen_findings, self._delay.finding_s)

    def wait(self) -> None:
        """Until all is seen."""
        deadline_s = time.monotonic() + _TIMEOUT_S
        while self._unseen_findings:
            if time.monotonic() > deadline_s:
                raise RuntimeError(f"not found: {', '.join(self._unseen_findings)}")
            time.sleep(_POLL_S)
            self.look()

    def _look(self, sql: str, unseen: dict[str, float], seen_s: list[float]) -> None:
        if not unseen:
            return
        runs = ", ".join(f"'{run_id}'" for run_id in list(unseen))
        for [run_id] in self._collector.query(sql.format(runs=runs, spans=2 * _CALLS)):
            seen_s.append(time.perf_counter() - unseen.pop(run_id))


_SPANS: Final = """
SELECT run_id FROM spans WHERE run_id IN ({runs})
GROUP BY run_id HAVING count() >= {spans}
"""
_FINDINGS: Final = """
SELECT run_id FROM findings FINAL WHERE run_id IN ({runs}) AND level = 'confirmed'
"""


def delays(folder: Path, *, spans: int, paced_s: float) -> Iterator[Delay]:
    """Under a trickle, under load, and while `spans` are sent as fast as they are
    taken, which is faster than they are loaded."""
    with _running(folder) as collector:
        for stream, (name, pace) in enumerate(_PACES.items(), start=2):
            delay = Delay(name)
            with _probing(collector, delay):
                _send_for(paced_s, collector, pace=pace, stream=stream)
            yield delay
        delay = Delay("as fast as taken")
        with _probing(collector, delay):
            generate(
                Load(
                    protocol="http",
                    port=collector.ports.http,
                    requests=spans // _LOAD_SPANS,
                    spans=_LOAD_SPANS,
                    connections=_LOAD_CONNECTIONS,
                    stream=1,
                )
            )
        yield delay


@contextmanager
def _running(folder: Path) -> Iterator[Collector]:
    collector = Collector(folder / "data")
    collector.start()
    try:
        yield collector
    finally:
        collector.kill()


@contextmanager
def _probing(collector: Collector, delay: Delay) -> Iterator[None]:
    probe = Probe(collector, delay)
    probe.prepare()
    with Repeating(probe.look, _POLL_S), Repeating(probe.send, _EVERY_S):
        yield
    probe.wait()


def _send_for(
    seconds: float, collector: Collector, *, pace: tuple[int, float], stream: int
) -> None:
    spans, every_s = pace
    source = Requests(Blocks(stream=stream), spans=spans)
    begun_s = time.monotonic()
    for number in range(int(seconds / every_s)):
        time.sleep(max(0.0, begun_s + number * every_s - time.monotonic()))
        _post(collector, source.next())


def _post(collector: Collector, body: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", collector.ports.http)
    try:
        headers = {"content-type": "application/x-protobuf"}
        connection.request("POST", "/v1/traces", body, headers)
        status = connection.getresponse().status
    finally:
        connection.close()
    if status != 200:
        raise RuntimeError(f"a request was answered {status}")
