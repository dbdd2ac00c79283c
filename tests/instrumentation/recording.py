"""OpenTelemetry in this process, with our processors, into memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer

from farthing.instrumentation import context
from farthing.instrumentation.frameworks import Reader
from farthing.instrumentation.hosts import Surroundings
from farthing.instrumentation.tagging import TagSpans


@dataclass
class Recording:
    """A tracer whose spans are tagged, and what was recorded."""

    tracer: Tracer
    exporter: InMemorySpanExporter
    surroundings: Surroundings
    readers: list[Reader] = field(default_factory=list)

    def named(self, name: str) -> Mapping[str, object]:
        """The attributes of the only span of that name."""
        [span] = [s for s in self.exporter.get_finished_spans() if s.name == name]
        return span.attributes or {}

    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()


@contextmanager
def recording(tags: Mapping[str, str] | None = None) -> Iterator[Recording]:
    """Spans of this process, which has these tags."""
    readers: list[Reader] = []
    surroundings, exporter = Surroundings(), InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.add_span_processor(TagSpans(readers, surroundings))
    context.set_process_tags(tags or {})
    try:
        tracer = provider.get_tracer("test")
        yield Recording(tracer, exporter, surroundings, readers)
    finally:
        context.set_process_tags({})
        provider.shutdown()
