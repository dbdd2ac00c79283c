"""Spans made fast: serialised once, then patched as bytes, a block at a time.

All spans of a template have the same serialised length, so a block is a matrix with a
row per span; a field that differs from span to span is a range of columns, written for
the whole block at once. What differs is what differs in real telemetry, and is as hard
to compress: trace, span and response ids, run ids, times and token counts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from benchmarks import template
from benchmarks.template import BLOCK_SPANS, Bytes

Words = npt.NDArray[np.uint64]

SPANS_PER_RUN = 100
ACTIVE_RUNS = 64  # runs whose spans arrive interleaved
# Ids of other kinds are scattered from numbers that no span has.
_PARENTS, _RESPONSES = np.uint64(1 << 62), np.uint64(1 << 61)
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)


@dataclass(frozen=True)
class _Field:
    """Columns of some rows of a block."""

    rows: slice
    first: int

    def write(self, block: Bytes, values: Bytes) -> None:
        """Write `values`, a row per span of the block, into the rows of this field."""
        columns = slice(self.first, self.first + values.shape[1])
        block[self.rows, columns] = values[self.rows]


class Blocks:
    """An endless, repeatable stream of spans; `task_type` sets it apart in the ledger.

    Two streams with different `stream` numbers (below 256) share no id.
    """

    def __init__(self, *, stream: int = 0, task_type: str = "code-review") -> None:
        self._first = stream << 48
        self._made = 0
        self._random = np.random.default_rng(stream)
        self._template = template.block(task_type)
        self._fields = {marker: list(self._find(marker)) for marker in template.MARKERS}

    def _find(self, marker: bytes) -> Iterator[_Field]:
        """Where `marker` stands in each kind of span."""
        for kind in range(len(template.KINDS)):
            at = self._template[kind].tobytes().find(marker)
            if at >= 0:
                yield _Field(slice(kind, None, len(template.KINDS)), at)

    @property
    def span_bytes(self) -> int:
        """How long a span is, its tag and length included."""
        return int(self._template.shape[1])

    def next(self) -> Bytes:
        """The next `BLOCK_SPANS` spans, each a row of the matrix."""
        first = self._first + self._made
        numbers = np.arange(first, first + BLOCK_SPANS, dtype=np.uint64)
        self._made += BLOCK_SPANS
        block = self._template.copy()
        self._write_ids(block, numbers)
        self._write_times(block)
        self._write_tokens(block)
        return block

    def _write_ids(self, block: Bytes, numbers: Words) -> None:
        runs = _run_numbers(numbers)
        parents, responses = runs + _PARENTS, numbers + _RESPONSES
        run_ids = _as_bytes(_scatter(runs))
        trace_ids = np.concatenate([run_ids, run_ids[:, ::-1]], axis=1)
        self._write(block, template.TRACE, trace_ids)
        self._write(block, template.RUN, _hex(run_ids))
        self._write(block, template.SPAN, _as_bytes(_scatter(numbers)))
        self._write(block, template.PARENT, _as_bytes(_scatter(parents)))
        self._write(block, template.RESPONSE, _hex(_as_bytes(_scatter(responses))))
        # As in a healthy agent: no call is made twice.
        for nth, marker in enumerate(template.FINGERPRINTS, start=1):
            hashes = _scatter(responses + np.uint64(nth << 58))
            self._write(block, marker, _hex(_as_bytes(hashes)))

    def _write(self, block: Bytes, marker: bytes, values: Bytes) -> None:
        for field in self._fields[marker]:
            field.write(block, values)

    def _write_times(self, block: Bytes) -> None:
        ends = np.uint64(time.time_ns()) + np.arange(BLOCK_SPANS, dtype=np.uint64)
        took = self._random.integers(10**8, 10**10, BLOCK_SPANS).astype(np.uint64)
        self._write(block, template.END, _as_bytes(ends))
        self._write(block, template.START, _as_bytes(ends - took))

    def _write_tokens(self, block: Bytes) -> None:
        # Input includes the other two, so it is drawn above their sum.
        self._write(block, template.INPUT, self._varints(40_000, 150_000, size=3))
        self._write(block, template.CACHED, self._varints(16_384, 20_000, size=3))
        self._write(block, template.WRITTEN, self._varints(16_384, 18_000, size=3))
        self._write(block, template.OUTPUT, self._varints(128, 2_000, size=2))

    def _varints(self, low: int, high: int, *, size: int) -> Bytes:
        """A random number for each span, as a varint of exactly `size` bytes."""
        numbers = self._random.integers(low, high, BLOCK_SPANS)
        more = [0x80] * (size - 1) + [0]
        groups = [(numbers >> 7 * i) & 0x7F | bit for i, bit in enumerate(more)]
        return np.stack(groups, axis=1).astype(np.uint8)


class Requests:
    """`ExportTraceServiceRequest`s of `spans` spans each, cut from blocks."""

    def __init__(self, blocks: Blocks, *, spans: int) -> None:
        if BLOCK_SPANS % spans:
            raise ValueError(f"a block of {BLOCK_SPANS} is not cut into {spans}s")
        self._blocks = blocks
        self._spans = spans
        self._block: Bytes = np.empty((0, 0), np.uint8)
        self._at = 0

    @cached_property
    def _head(self) -> bytes:
        """All that comes before the spans: resource, scope, lengths."""
        return template.head(self._blocks.span_bytes * self._spans)

    def next(self) -> bytes:
        """The next request."""
        head, spans = self.parts()
        return head + spans.tobytes()

    def parts(self) -> tuple[bytes, Bytes]:
        """The same in two parts, the larger of which is not copied."""
        if self._at >= len(self._block):
            self._block, self._at = self._blocks.next(), 0
        rows = self._block[self._at : self._at + self._spans]
        self._at += self._spans
        return self._head, rows.reshape(-1)


def _run_numbers(numbers: Words) -> Words:
    """Which run each span belongs to: `ACTIVE_RUNS` at a time, taking turns."""
    together = np.uint64(ACTIVE_RUNS * SPANS_PER_RUN)
    active = np.uint64(ACTIVE_RUNS)
    runs: Words = numbers // together * active + numbers % active
    return runs


def _scatter(numbers: Words) -> Words:
    """Numbers that look random and are as distinct as the given ones (splitmix64)."""
    x = numbers + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    scattered: Words = x ^ (x >> np.uint64(31))
    return scattered


def _as_bytes(words: Words) -> Bytes:
    return np.ascontiguousarray(words).view(np.uint8).reshape(len(words), 8)


def _hex(data: Bytes) -> Bytes:
    digits: Bytes = np.stack([_HEX[data >> 4], _HEX[data & 15]], axis=2)
    return digits.reshape(len(data), -1)
