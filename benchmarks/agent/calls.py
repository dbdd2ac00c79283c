"""What a model call costs an agent more, with and without us.

    python -m benchmarks.agent.calls [--calls N]

One process makes calls with everything switched on. A clock says at each moment whose
time it is: each place where one hands over to another tells it. So what is asked, how
much of a call of 20 ms are our 0.1 ms, does not drown in how much two calls differ. A
figure is the median of what single calls took; what the clock takes itself is in it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final

import wrapt

from benchmarks.agent.workloads import WORKLOADS, Workload, client

SDK, OFFICIAL, TAGS, PRINTS, GUARD, EXPORT = (
    "SDK alone",
    "official",
    "ours: tags and usage",
    "ours: fingerprints",
    "a guard, if on",
    "exporter's thread",
)
OURS: Final = "**ours**"
COLUMNS: Final = (SDK, OFFICIAL, OURS, TAGS, PRINTS, EXPORT, GUARD)
VARIABLES: Final = {
    "FARTHING_FINGERPRINT_KEY": "a key",
    "FARTHING_BUDGET_USD": "100000",
    "FARTHING_BUDGET_STEPS": "100000000",
    "FARTHING_BUDGET_TOOL_RETRIES": "100",
    "FARTHING_ON_LOOP": "warn",
}
_WARM_UP: Final = 20


class Clock:
    """The time of this thread, by whose it is. What is handed over is kept until the
    call is over, or whoever drops it last would be charged for taking it to pieces."""

    def __init__(self) -> None:
        self.kept: list[Any] = []
        self.taken_ns: defaultdict[str, int] = defaultdict(int)
        self._whose = SDK
        self._since_ns = time.perf_counter_ns()

    def tell(self, whose: str) -> str:
        """From now on it is somebody else's time; says whose it was."""
        now_ns = time.perf_counter_ns()
        before = self._whose
        self.taken_ns[before] += now_ns - self._since_ns
        self._whose, self._since_ns = whose, now_ns
        return before

    def around(self, whose: str, function: Any) -> Any:
        """`function`, whose time is somebody's."""

        def timed(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
            before = self.tell(whose)
            self.kept.append((args, kwargs))
            try:
                return wrapped(*args, **kwargs)
            finally:
                self.tell(before)

        return wrapt.FunctionWrapper(function, timed)

    def time(self, place: tuple[Any, str], whose: str) -> None:
        """From now on a call of a class's method is somebody's time."""
        owner, name = place
        setattr(owner, name, self.around(whose, vars(owner)[name]))


def main(arguments: Sequence[str]) -> None:
    """Print what of a call is whose."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agent.calls")
    parser.add_argument("--calls", type=int, default=300)
    asked = parser.parse_args(arguments)
    clock = Clock()
    observers: list[Any] = []
    flush = _set_up(clock, observers)
    guard = observers.pop()
    print(f"| workload | {' | '.join(COLUMNS)} |", "|---" * 8 + "|", sep="\n")
    opened = client()
    for load in WORKLOADS.values():
        calls = max(asked.calls // load.weight, _WARM_UP)
        found = measure(load, opened, clock, flush=flush, calls=calls)
        found[OURS] = found[TAGS] + found[PRINTS]
        observers.append(guard)
        guarded = measure(load, opened, clock, flush=flush, calls=calls)
        observers.remove(guard)
        found[GUARD] = guarded[GUARD]
        cells = [f"{found[column]:,.1f} µs" for column in COLUMNS]
        print(f"| {load.name} | {' | '.join(cells)} |", flush=True)


def measure(
    load: Workload,
    opened: Any,
    clock: Clock,
    *,
    flush: Callable[[], object],
    calls: int,
) -> dict[str, float]:
    """Microseconds per call or chunk, by whose they are."""
    taken: defaultdict[str, list[float]] = defaultdict(list)
    call = load.make(opened)
    for number in range(_WARM_UP + calls):
        clock.tell(SDK)
        clock.taken_ns.clear()
        call()
        flush()
        clock.tell(SDK)
        clock.kept.clear()
        if number >= _WARM_UP:
            for whose in (SDK, OFFICIAL, TAGS, PRINTS, GUARD, EXPORT):
                taken[whose].append(clock.taken_ns[whose] / 1_000 / load.per)
    return {whose: statistics.median(values) for whose, values in taken.items()}


def _set_up(clock: Clock, observers: list[Any]) -> Callable[[], object]:
    """The official instrumentation and ours on it, and a clock in between."""
    from openai import _base_client, _streaming, resources
    from opentelemetry import trace
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from farthing.instrumentation import context, observing
    from farthing.instrumentation.calls import openai

    os.environ["OTEL_TRACES_EXPORTER"] = "none"
    context.set_process_tags({"farthing.task.type": "benchmark"})
    create: Any = resources.chat.completions.Completions, "create"
    ours: Sequence[tuple[Any, str]] = (
        create,
        (_base_client.SyncAPIClient, "request"),
        (_streaming.Stream, "close"),
    )
    provider = TracerProvider()
    exporter: Any = _Dropping(clock)
    batch = BatchSpanProcessor(exporter)
    for processor in (batch, *_processors(clock)):
        provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)
    for place in ours:
        clock.time(place, SDK)
    OpenAIInstrumentor().instrument()
    clock.time(create, OFFICIAL)
    fingerprints, guard = observing.observers(VARIABLES)
    observers += [_timed(clock, fingerprints, PRINTS), _timed(clock, guard, GUARD)]
    openai.install(observers)
    for place in ours:
        clock.time(place, TAGS)
    _time_events(clock)
    return provider.force_flush


def _processors(clock: Clock) -> Sequence[Any]:
    from farthing.instrumentation.hosts import Surroundings
    from farthing.instrumentation.tagging import TagSpans
    from farthing.instrumentation.watching.later import LateProcessor

    tags: Any = TagSpans([], Surroundings())
    prints: Any = LateProcessor()
    for processor, name in (
        (tags, "on_start"), (prints, "on_start"), (prints, "_on_ending"),
    ):  # fmt: skip
        setattr(processor, name, clock.around(TAGS, getattr(processor, name)))
    return tags, prints


def _timed(clock: Clock, observer: Any, whose: str) -> Any:
    for name in ("before", "after"):
        setattr(observer, name, clock.around(whose, getattr(observer, name)))
    return observer


def _time_events(clock: Clock) -> None:
    """The events of a stream come from the SDK, through ours."""
    from farthing.instrumentation.watching import streams

    class Events:
        def __init__(self, events: Any) -> None:
            self._next = clock.around(SDK, events.__next__)

        def __next__(self) -> Any:
            return self._next()

    def made(wrapped: Any, _heard: Any, args: Any, _kwargs: Any) -> None:
        wrapped(Events(args[0]), *args[1:])

    heard: Any = streams.Heard
    heard.__init__ = wrapt.FunctionWrapper(heard.__init__, made)
    clock.time((heard, "__next__"), TAGS)


class _Dropping:
    """Reads what an exporter reads, and sends nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def export(self, spans: Sequence[Any]) -> Any:
        from opentelemetry.sdk.trace.export import SpanExportResult

        before = self._clock.tell(EXPORT)
        for span in spans:
            _ = list(span.attributes.items())
        self._clock.tell(before)
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing is held."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held."""
        del timeout_millis
        return True


if __name__ == "__main__":
    main(sys.argv[1:])
