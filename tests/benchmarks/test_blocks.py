"""The load that crash rounds and benchmarks send: valid, and every span its own."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from benchmarks.blocks import ACTIVE_RUNS, SPANS_PER_RUN, Blocks, Requests
from benchmarks.template import BLOCK_SPANS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.proto.trace.v1.trace_pb2 import Span


def spans(blocks: Blocks, *, size: int = 64) -> Iterator[Span]:
    requests = Requests(blocks, spans=size)
    while True:
        message = ExportTraceServiceRequest.FromString(requests.next())
        [resource] = message.resource_spans
        [scope] = resource.scope_spans
        assert len(scope.spans) == size
        yield from scope.spans


def run_id(span: Span) -> str:
    [value] = [a.value for a in span.attributes if a.key == "farthing.task.id"]
    return value.string_value


@pytest.mark.parametrize("size", [1, 16, 64, 512])
def test_requests_are_canonical_protobuf(size: int) -> None:
    """What is patched as bytes is what protobuf would have written."""
    requests = Requests(Blocks(), spans=size)
    for _ in range(3):
        request = requests.next()
        message = ExportTraceServiceRequest.FromString(request)
        assert message.SerializeToString() == request


def test_every_span_is_its_own() -> None:
    """No span id comes twice, nor from two streams."""
    made = [
        span.span_id
        for stream in (0, 1, 255)
        for span in islice(spans(Blocks(stream=stream)), 10 * BLOCK_SPANS)
    ]
    assert len(set(made)) == len(made) == 30 * BLOCK_SPANS


def test_runs_arrive_interleaved() -> None:
    """Spans of many runs take turns; a run is one trace of `SPANS_PER_RUN` spans."""
    together = ACTIVE_RUNS * SPANS_PER_RUN
    made = list(islice(spans(Blocks()), 2 * together))
    sizes = Counter((run_id(span), span.trace_id) for span in made)
    assert set(sizes.values()) == {SPANS_PER_RUN}
    assert len({run_id(span) for span in made[:ACTIVE_RUNS]}) == ACTIVE_RUNS


def test_usage_is_possible() -> None:
    """Prompt tokens include what went through the cache; spans end after they start."""
    for span in islice(spans(Blocks()), BLOCK_SPANS):
        used = {a.key: a.value.int_value for a in span.attributes if "usage" in a.key}
        if used:
            total = used.pop("gen_ai.usage.input_tokens")
            assert used.pop("gen_ai.usage.output_tokens") > 0
            assert 0 < sum(used.values()) < total
        assert span.start_time_unix_nano < span.end_time_unix_nano
