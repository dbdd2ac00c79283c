"""What a model call costs an agent more, with and without us.

    python -m benchmarks.agent.calls [--calls N]

A process makes the same call in four ways in turn: with the SDK alone, with the
official instrumentation, with ours on top of it, and with a guard on top of that; then
backwards, so that what drifts meanwhile adds to all alike. What one way takes more than
the one before is the median of these differences, in CPU time of the calling thread. A
call that counts comes after one of its own way that does not, as an agent's calls do.
How a process's memory happens to lie favours one way or another by some 50 µs in a call
of 20 ms: so several processes measure, one after the other. What the exporter's thread
does later is told apart.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, Final

from benchmarks.agent.workloads import WORKLOADS, Workload, client

ALONE, OFFICIAL, OURS, GUARD = "SDK alone", "official", "ours", "guard"
WAYS: Final = (ALONE, OFFICIAL, OURS, GUARD)
EXPORT: Final = "exporter's thread"
COLUMNS: Final = (ALONE, OFFICIAL, OURS, EXPORT, GUARD)
KEY: Final = {"FARTHING_FINGERPRINT_KEY": "a key"}
LIMITS: Final = {
    "FARTHING_BUDGET_USD": "100000",
    "FARTHING_BUDGET_STEPS": "100000000",
    "FARTHING_BUDGET_TOOL_RETRIES": "100",
    "FARTHING_ON_LOOP": "warn",
}
_WARM_UP: Final = 6
_PROCESSES: Final = 6

Place = tuple[Any, str]
"""A class of the SDK, and the name of a method that is wrapped."""


@dataclass(frozen=True)
class Way:
    """What is wrapped how, and which span processors there are."""

    methods: Mapping[Place, Any]
    processors: tuple[Any, ...]


@dataclass
class Found:
    """Microseconds per call or chunk: what was measured, one figure a round."""

    calls: defaultdict[str, list[float]] = field(
        default_factory=partial(defaultdict, list)
    )
    exports: defaultdict[str, list[float]] = field(
        default_factory=partial(defaultdict, list)
    )

    def cells(self) -> Mapping[str, str]:
        """What is to be printed, by the columns."""
        whole = f"{statistics.median(self.calls[ALONE]):,.0f}"
        more = {way: _more(self.calls, before, way) for before, way in _steps()}
        return {ALONE: whole, **more, EXPORT: _more(self.exports, OFFICIAL, OURS)}


class Bench:
    """The SDK in one process, to be used in one way or another."""

    def __init__(self) -> None:
        from openai import _base_client, _streaming, resources
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider

        os.environ["OTEL_TRACES_EXPORTER"] = "none"
        self.places: Sequence[Place] = (
            (resources.chat.completions.Completions, "create"),
            (_base_client.SyncAPIClient, "request"),
            (_base_client.SyncAPIClient, "_sleep_for_retry"),
            (_streaming.Stream, "close"),
        )
        self.provider = TracerProvider()
        trace.set_tracer_provider(self.provider)
        self.ways = dict(zip(WAYS, self._made(), strict=True))

    def use(self, way: str) -> None:
        """From now on calls are made that way."""
        chosen = self.ways[way]
        for (owner, name), method in chosen.methods.items():
            setattr(owner, name, method)
        self._processors = chosen.processors

    def measure(self, load: Workload, *, rounds: int) -> Found:
        """Each way `rounds` times, forwards and backwards in turn."""
        call, found = load.make(client()), Found()
        for number in range(_WARM_UP + rounds):
            for way in WAYS if number % 2 else reversed(WAYS):
                self.use(way)
                call()
                call_ns, export_ns = _took(call), _took(self.provider.force_flush)
                if number >= _WARM_UP:
                    found.calls[way].append(call_ns / 1_000 / load.per)
                    found.exports[way].append(export_ns / 2_000 / load.per)
        return found

    def _made(self) -> Sequence[Way]:
        """One way after the other, each on top of the one before."""
        from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        from farthing.instrumentation import context
        from farthing.instrumentation.hosts import Surroundings
        from farthing.instrumentation.tagging import TagSpans

        alone = self._way(())
        OpenAIInstrumentor().instrument()
        exporter: Any = _Dropping()
        batch = BatchSpanProcessor(exporter)
        official = self._way((batch,))
        context.set_process_tags({"farthing.task.type": "benchmark"})
        processors = (batch, TagSpans([], Surroundings()))
        ours = self._ours(official, processors, KEY)
        guard = self._ours(official, processors, {**KEY, **LIMITS})
        return alone, official, ours, guard

    def _ours(
        self, official: Way, processors: tuple[Any, ...], variables: Mapping[str, str]
    ) -> Way:
        from farthing.instrumentation import observing
        from farthing.instrumentation.calls import openai

        for (owner, name), method in official.methods.items():
            setattr(owner, name, method)
        openai.install(observing.observers(variables))
        return self._way(processors)

    def _way(self, processors: tuple[Any, ...]) -> Way:
        """How things are now."""
        methods = {(owner, name): vars(owner)[name] for owner, name in self.places}
        return Way(methods, processors)

    @property
    def _processors(self) -> tuple[Any, ...]:
        return self.provider._active_span_processor._span_processors  # noqa: SLF001

    @_processors.setter
    def _processors(self, processors: tuple[Any, ...]) -> None:
        self.provider._active_span_processor._span_processors = processors  # noqa: SLF001


class _Dropping:
    """Reads what an exporter reads, and sends nothing."""

    def export(self, spans: Sequence[Any]) -> Any:
        from opentelemetry.sdk.trace.export import SpanExportResult

        for span in spans:
            _ = list(span.attributes.items())
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing is held."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held."""
        del timeout_millis
        return True


def measured(load: Workload, *, calls: int) -> Found:
    """What processes of their own find, each its share of the calls."""
    rounds = max(calls // load.weight // _PROCESSES, 5)
    found = Found()
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(1, maxtasksperchild=1) as pool:
        for one in pool.map(_measure, [(load.name, rounds)] * _PROCESSES, chunksize=1):
            for way in WAYS:
                found.calls[way] += one.calls[way]
                found.exports[way] += one.exports[way]
    return found


def _measure(asked: tuple[str, int]) -> Found:
    name, rounds = asked
    logging.disable()  # the guard's word on calls without a bound
    return Bench().measure(WORKLOADS[name], rounds=rounds)


def _took(action: Any) -> int:
    began_ns = time.thread_time_ns()
    action()
    return time.thread_time_ns() - began_ns


def _steps() -> Sequence[tuple[str, str]]:
    return tuple(pairwise(WAYS))


def _more(found: Mapping[str, list[float]], before: str, way: str) -> str:
    """How much more one way takes than another in the same round, and how sure that is:
    the middle half of the differences over the root of their number, which is about the
    standard error of their median."""
    more = [b - a for a, b in zip(found[before], found[way], strict=True)]
    low, middle, high = statistics.quantiles(more, n=4)
    return f"{middle:,.1f} ± {(high - low) / len(more) ** 0.5:.1f}"


def main(arguments: Sequence[str]) -> None:
    """Print what each way takes more than the one before."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agent.calls")
    parser.add_argument("--calls", type=int, default=900)
    asked = parser.parse_args(arguments)
    print(
        "CPU time in µs; but for the first column, what comes on top of the one before"
    )
    print(f"| workload | {' | '.join(COLUMNS)} |", "|---" + "|---:" * 5 + "|", sep="\n")
    for load in WORKLOADS.values():
        cells = measured(load, calls=asked.calls).cells()
        row = " | ".join(cells[column] for column in COLUMNS)
        print(f"| {load.name} | {row} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
