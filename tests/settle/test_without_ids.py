"""Spans whose emitter gave them no id: none is lost, and none counts twice."""

from __future__ import annotations

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from tests.settle.conftest import Book
from tests.settle.spans import (
    NATIVE,
    OFFICIAL,
    OPENINFERENCE,
    Told,
    chat,
    openinference,
    request,
)

CALLS = tuple(
    Told(OFFICIAL, span=0, trace=0, start_ms=number * 2000, end_ms=number * 2000 + 900,
         attributes=chat(f"msg_{number}"))
    for number in range(3)
)  # fmt: skip


@pytest.mark.parametrize("batches", [[CALLS], [[call] for call in CALLS]])
def test_each_call_without_an_id_counts(
    book: Book, batches: list[tuple[Told, ...]]
) -> None:
    """Calls that share the id zero stay as many as they are, in one batch or several,
    and say that their ids are made."""
    for spans in batches:
        book.load(*spans)
    assert book.totals()["calls"] == len(CALLS)
    rows = book.store.rows("SELECT DISTINCT span_id, flags FROM spans")
    assert len(rows) == len(CALLS)
    for row in rows:
        assert len(row["span_id"]) == 16
        assert "id_made" in row["flags"]


def test_one_that_comes_again_counts_once(book: Book) -> None:
    """A span without an id that is told in a second request is known."""
    book.load(CALLS[0])
    book.load(CALLS[0], CALLS[1])
    assert book.totals()["calls"] == 2


def test_a_parent_of_zeros_is_none(book: Book) -> None:
    """Such a span is a root: what it tells of is one call with what another root of its
    service tells, and its trace is no better known for it."""
    told = ExportTraceServiceRequest.FromString(
        request([Told(OPENINFERENCE, 1, trace=1, attributes=openinference())])
    )
    told.resource_spans[0].scope_spans[0].spans[0].parent_span_id = bytes(8)
    native = Told(NATIVE, 2, trace=2, start_ms=2, attributes=chat("msg_1"))
    book.load_requests([told.SerializeToString(), request([native])])
    assert book.totals()["calls"] == 1
    assert book.store.rows("SELECT DISTINCT parent_span_id FROM spans") == [
        {"parent_span_id": ""}
    ]
