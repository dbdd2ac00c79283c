"""What a Python process costs more at its start under `opentelemetry-instrument`.

    python -m benchmarks.agent.startup [--rounds N]

CPU time of whole processes, children of this one, in which nothing or one SDK is
imported; variants take turns, so that what else the machine does hits all alike. A
figure is the median of the rounds. No collector listens.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from opentelemetry.instrumentation import auto_instrumentation

SITE = str(Path(auto_instrumentation.__file__).parent)
ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
BARE, OFF, EAGER, OURS = "without", "OpenTelemetry, all off", "eager", "ours"
VARIANTS: Mapping[str, Mapping[str, str]] = {
    BARE: {},
    # What the loader of OpenTelemetry takes by itself.
    OFF: {
        "PYTHONPATH": SITE,
        "OTEL_PYTHON_DISTRO": "none",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*",
        "OTEL_SDK_DISABLED": "true",
    },
    # All official packages at once, as without a distro of ours; nothing is exported.
    EAGER: {"PYTHONPATH": SITE, "OTEL_PYTHON_DISTRO": "none", **ENDPOINT},
    OURS: {
        "PYTHONPATH": SITE,
        "OTEL_PYTHON_DISTRO": "farthing",
        "FARTHING_TASK_TYPE": "benchmark",
        **ENDPOINT,
    },
}
PROGRAMS = {
    "nothing": "pass",
    "openai": "import openai",
    "anthropic": "import anthropic",
}


def cpu_ms(code: str, env: Mapping[str, str]) -> float:
    """CPU time of one process, user and system, in milliseconds."""
    others = ("OTEL_", "FARTHING_", "PYTHONPATH")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(others)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, **env},
        stderr=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    return used * 1000


def measured(rounds: int) -> dict[tuple[str, str], float]:
    """Medians by program and variant; the first round only warms the caches."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for number in range(rounds + 1):
        for program, code in PROGRAMS.items():
            for variant, env in VARIANTS.items():
                used = cpu_ms(code, env)
                if number:
                    found[program, variant].append(used)
    return {key: statistics.median(values) for key, values in found.items()}


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    found = measured(parser.parse_args().rounds)
    print("CPU time of the process, in ms; more than without, in brackets")
    print(f"| imports | {' | '.join(VARIANTS)} |\n|---|{'---:|' * len(VARIANTS)}")
    for program in PROGRAMS:
        bare = found[program, BARE]
        cells = [
            f"{found[program, v]:.0f}" + ("" if v == BARE else f" (+{more:.0f})")
            for v in VARIANTS
            for more in [found[program, v] - bare]
        ]
        print(f"| {program} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
