"""What a model call costs an agent more, with and without us.

    python -m benchmarks.agent.calls [--rounds N]

Each variant runs in a process of its own; processes take turns, so that what else the
machine does hits all alike. A figure is CPU time (of the process, all threads, the
exporter's included), the median of the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from benchmarks.agent.workloads import WORKLOADS, Workload, client

BARE, OFFICIAL, PLAIN = "bare", "official", "tags and usage"
OURS, GUARDED = "ours", "guarded"
VARIANTS = (BARE, OFFICIAL, PLAIN, OURS, GUARDED)
_PARTS = ("of it tags and usage", "of it fingerprints", "a guard, if on")
TAGS = {
    "FARTHING_TASK_TYPE": "benchmark",
    "FARTHING_BUSINESS_UNIT": "research",
    "FARTHING_FINGERPRINT_KEY": "a key",
}
LIMITS = {
    "FARTHING_BUDGET_USD": "100000",
    "FARTHING_BUDGET_STEPS": "100000000",
    "FARTHING_BUDGET_TOOL_RETRIES": "100",
    "FARTHING_ON_LOOP": "warn",
}


def main(arguments: Sequence[str]) -> None:
    """Measure all variants and print what they add, or measure one (`--variant`)."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agent.calls")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--variant", choices=VARIANTS)
    asked = parser.parse_args(arguments)
    if asked.variant:
        print(json.dumps(measure(asked.variant)))
        return
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for number in range(asked.rounds):
        print(f"round {number + 1} of {asked.rounds}", file=sys.stderr)
        for variant in VARIANTS:
            for name, value_us in _in_a_process(variant).items():
                found[variant, name].append(value_us)
    print(_table({key: statistics.median(values) for key, values in found.items()}))


def _in_a_process(variant: str) -> dict[str, float]:
    environment = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
    if variant in (PLAIN, OURS, GUARDED):
        environment.update(TAGS)
    if variant == PLAIN:
        environment["FARTHING_FINGERPRINTS"] = "off"
    if variant == GUARDED:
        environment.update(LIMITS)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.agent.calls", "--variant", variant],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def measure(variant: str) -> dict[str, float]:
    """CPU microseconds per call or chunk of each workload, in this process."""
    if variant != BARE:
        _set_up(ours=variant != OFFICIAL)
    opened = client()
    return {name: _cpu_us(load, opened) for name, load in WORKLOADS.items()}


def _set_up(*, ours: bool) -> None:
    """OpenTelemetry's SDK with an exporter that drops what it gets, and instrumentation
    as `opentelemetry-instrument` would load it."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import (
        BatchSpanProcessor,
        SpanExporter,
        SpanExportResult,
    )

    class Dropped(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            del spans
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Dropped()))
    trace.set_tracer_provider(provider)
    if not ours:
        from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

        OpenAIInstrumentor().instrument()
        return
    from farthing.instrumentation import start
    from farthing.instrumentation.distro import FarthingDistro

    FarthingDistro.is_active = True
    start.before_instrumentors()
    start.after_instrumentors()


def _cpu_us(load: Workload, opened: Any) -> float:
    """The best of three runs after a warm-up: others' work only ever adds."""
    call = load.make(opened)
    for _ in range(max(load.calls // 5, 3)):
        call()
    runs = []
    for _ in range(3):
        began = time.process_time_ns()
        for _ in range(load.calls):
            call()
        runs.append(time.process_time_ns() - began)
    return min(runs) / 1_000 / load.calls / load.per


def _table(medians: dict[tuple[str, str], float]) -> str:
    """What each variant takes, and what it adds to the one before."""
    head = ("workload", "bare", "official adds", "ours adds on top", *_PARTS)
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name in WORKLOADS:
        bare, official, plain, ours, guarded = (medians[v, name] for v in VARIANTS)
        steps = (
            official - bare,
            ours - official,
            plain - official,
            ours - plain,
            guarded - ours,
        )
        lines.append(
            f"| {name} | {bare:,.1f} µs | "
            + " | ".join(f"{step:+,.1f} µs" for step in steps)
            + " |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main(sys.argv[1:])
