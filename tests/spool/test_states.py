"""Any sequence of calls: the spool is as a list of requests would be."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from farthing.collector.spool import Batch, Spool
from tests.spool.spooling import (
    LIMITS,
    WINDOW_REQUESTS,
    WINDOW_S,
    Clock,
    append,
    drain,
)

SHARE_BYTES = 100 + 1  # what a request of one byte takes of a batch


@dataclass(frozen=True)
class Seen:
    """A request that is kept, or was."""

    number: int
    request: bytes
    at_s: float


class SpoolStates(RuleBasedStateMachine):
    """The spool beside its model: what waits, what was seen, the batch under way."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="spool-"))
        self.clock = Clock()
        self.spool = Spool(self.folder, limits=LIMITS, clock_s=self.clock)
        self.waiting: list[Seen] = []
        self.seen: list[Seen] = []
        self.number = 0
        self.batch: Batch | None = None
        self.names: set[str] = set()

    def teardown(self) -> None:
        assert drain(self.spool) == [one.request for one in self.waiting]
        self.spool.close()
        shutil.rmtree(self.folder)

    # Few different bytes, so that requests come again.
    @rule(byte=st.integers(0, 40))
    def append(self, byte: int) -> None:
        request = bytes([byte])
        append(self.spool, request)
        newest = max((one.number for one in self.seen), default=0)
        self.seen = [one for one in self.seen if one.number > newest - WINDOW_REQUESTS]
        while self.seen and self.seen[0].at_s < self.clock.now_s - WINDOW_S:
            del self.seen[0]
        if request not in [one.request for one in self.seen]:
            self.number += 1
            self.waiting.append(Seen(self.number, request, self.clock.now_s))
            self.seen.append(self.waiting[-1])

    @rule(requests=st.integers(1, 6))
    def next_batch(self, requests: int) -> None:
        batch = self.spool.next_batch(max_bytes=requests * SHARE_BYTES)
        if self.batch is not None:
            assert batch == self.batch
        elif self.waiting:
            assert batch is not None
            assert batch.name not in self.names
            assert list(batch.requests) == [
                one.request for one in self.waiting[:requests]
            ]
            self.names.add(batch.name)
        else:
            assert batch is None
        self.batch = batch

    @precondition(lambda self: self.batch and len(self.batch.requests) > 1)
    @rule()
    def shrink(self) -> None:
        assert self.batch is not None
        self.spool.shrink(self.batch)
        half = self.batch.requests[: len(self.batch.requests) // 2]
        self.batch = self.spool.next_batch(max_bytes=1)
        assert self.batch is not None
        assert self.batch.requests == half
        assert self.batch.name not in self.names
        self.names.add(self.batch.name)

    @precondition(lambda self: self.batch)
    @rule()
    def finish(self) -> None:
        assert self.batch is not None
        self.spool.finish(self.batch)
        del self.waiting[: len(self.batch.requests)]
        self.batch = None

    @precondition(lambda self: self.batch)
    @rule()
    def give_up(self) -> None:
        assert self.batch is not None
        self.spool.give_up(self.batch)
        count = len(self.batch.requests)
        gone = {one.number for one in self.waiting[:count]}
        self.seen = [one for one in self.seen if one.number not in gone]
        del self.waiting[:count]
        self.batch = None

    @rule()
    def reopen(self) -> None:
        self.spool.close()
        self.spool = Spool(self.folder, limits=LIMITS, clock_s=self.clock)

    @rule(by_s=st.sampled_from([-WINDOW_S, 1.0, WINDOW_S / 2, WINDOW_S * 2]))
    def time_passes(self, by_s: float) -> None:
        self.clock.now_s += by_s

    @invariant()
    def counts(self) -> None:
        held = self.spool.waiting()
        assert held.requests == len(self.waiting)
        assert held.oldest_s == (self.waiting[0].at_s if self.waiting else None)


TestSpoolStates = SpoolStates.TestCase
TestSpoolStates.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
