"""A loader between a spool and a ledger, and the books of what came through."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from prometheus_client import CollectorRegistry

from farthing.collector.load import Loader, LoadSettings
from farthing.collector.spool import Limits, Spool
from farthing.collector.store.client import Store
from farthing.collector.store.ledger import Ledger
from farthing.economics.prices import load_catalogue

START_NS: Final = 1_790_000_000_000_000_000  # 2026-09-21
INPUT_TOKENS: Final = 100
WRONG_WIRE_TYPE: Final = b"\x08\x01"
"""Field 1, a message in OTLP, as a number: protobuf parsers pass over it, ClickHouse
refuses it."""

TIMEOUT_S: Final = 60.0


def request(number: int) -> bytes:
    """An export of one model call, a run of its own."""
    made = ExportTraceServiceRequest()
    scope = made.resource_spans.add().scope_spans.add()
    span = scope.spans.add(name="chat gpt-4o", start_time_unix_nano=START_NS)
    span.end_time_unix_nano = START_NS + 10**9
    span.trace_id = number.to_bytes(16)
    span.span_id = number.to_bytes(8)
    texts = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "farthing.task.id": f"run-{number}",
    }
    for key, text in texts.items():
        span.attributes.append(KeyValue(key=key, value=AnyValue(string_value=text)))
    span.attributes.append(
        KeyValue(
            key="gen_ai.usage.input_tokens", value=AnyValue(int_value=INPUT_TOKENS)
        )
    )
    return made.SerializeToString()


def poison(number: int) -> bytes:
    """A request that the receiver takes and ClickHouse does not."""
    return request(number) + WRONG_WIRE_TYPE


def opened_ledger(store: Store) -> Ledger:
    ledger = Ledger(store, load_catalogue())
    ledger.open(retention_days=36_500)
    return ledger


class Way:
    """Spool, loader and ledger; `step` loads as the loader's thread would, without
    its pauses."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self.ledger = ledger
        self.spool = Spool(folder / "spool", limits=Limits(min_free_bytes=0))
        self.dead_letters = folder / "dead-letters"
        self.registry = CollectorRegistry()
        self.loader = Loader(
            self.spool,
            ledger,
            settings=LoadSettings(at_bytes=1, at_age_s=0),
            dead_letters=self.dead_letters,
            registry=self.registry,
        )

    def append(self, requests: Iterable[bytes]) -> None:
        async def together() -> None:
            await asyncio.gather(*map(self.spool.append, requests))

        asyncio.run(together())

    def step(self) -> None:
        """One round of the loader's thread, which makes no pause: it is to stop."""
        self.loader._stopping.set()
        self.loader._load_next()

    def run_dry(self) -> None:
        """Steps until nothing waits."""
        while self.spool.waiting().requests:
            held = self.spool.waiting()
            for _ in range(20):  # enough to halve 20 times
                self.step()
                if self.spool.waiting() != held:
                    break
            assert self.spool.waiting() != held, self.loader.problem

    def wait_until_dry(self) -> None:
        """Until the running loader has loaded all that waits."""
        deadline_s = time.monotonic() + TIMEOUT_S
        while self.spool.waiting().requests:
            assert time.monotonic() < deadline_s, self.loader.problem
            time.sleep(0.01)

    def wait_for_problem(self) -> str:
        """Until the running loader is held up, and why."""
        deadline_s = time.monotonic() + TIMEOUT_S
        while (problem := self.loader.problem) is None:
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        return problem

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    def put_aside(self) -> list[Path]:
        """The requests in the dead-letter folder."""
        return sorted(self.dead_letters.glob("*.pb"))


@contextmanager
def way(folder: Path, ledger: Ledger) -> Iterator[Way]:
    """A way into a ledger, its spool closed in the end."""
    made = Way(folder, ledger)
    try:
        yield made
    finally:
        made.spool.close()


@contextmanager
def running(made: Way) -> Iterator[Way]:
    """The same with the loader's thread at work."""
    made.loader.start()
    try:
        yield made
    finally:
        made.loader.stop()


def balance(store: Store, numbers: Iterable[int]) -> None:
    """Assert that ledger and roll-ups hold these requests, each once."""
    expected = sorted(numbers)
    spans = store.rows("SELECT run_id FROM spans")
    assert sorted(int(row["run_id"].removeprefix("run-")) for row in spans) == expected
    runs = store.rows("SELECT run_id, sum(spans) AS n FROM runs GROUP BY run_id")
    assert {row["run_id"]: row["n"] for row in runs} == {
        f"run-{number}": 1 for number in expected
    }
    for table in ("spans", "runs", "spend_hourly"):
        [sums] = store.rows(
            f"SELECT sum(calls) AS calls, sum(input_tokens) AS tokens FROM {table}"
        )
        assert sums == {
            "calls": len(expected),
            "tokens": len(expected) * INPUT_TOKENS,
        }, table
