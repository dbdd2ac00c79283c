"""What our functions take of a model call, timed within the call.

    python -m benchmarks.agent.within [--calls N]

`calls.py` compares whole calls. One with a long conversation takes 20 ms, and on a
machine that others use too those vary by more than ours adds. Here a clock is read
before and after whatever of ours runs in a call: what the SDK and the official package
take is left out, and so is what ours may cost them by what it leaves behind. The four
to ten readings of the clock are in the figure.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter_ns
from typing import Any, Final

from benchmarks.agent.calls import OURS, Bench, Way
from benchmarks.agent.workloads import WORKLOADS, client

_CALLS: Final = ("create", "request")
_HOOKS: Final = ("on_start", "_on_ending", "on_end")
_WARM_UP: Final = 6


class Clock:
    """Adds up what is within its functions."""

    def __init__(self) -> None:
        self.ns = 0

    def around(self, method: Any, sign: int) -> Callable[..., Any]:
        """`method` with its time added, or taken off where `sign` is -1."""

        def timed(owner: Any, *args: Any, **kwargs: Any) -> Any:
            bound = method.__get__(owner, type(owner))
            began_ns = perf_counter_ns()
            try:
                return bound(*args, **kwargs)
            finally:
                self.ns += sign * (perf_counter_ns() - began_ns)

        return timed


class Timed(Bench):
    """The SDK with clocks between the official instrumentation and ours."""

    def __init__(self) -> None:
        from farthing.instrumentation.tagging import TagSpans

        self.clock = Clock()
        for name in _HOOKS:
            hook = getattr(TagSpans, name)
            setattr(TagSpans, name, self.clock.around(hook, 1))
        super().__init__()

    def _ours(
        self, official: Way, processors: tuple[Any, ...], variables: Mapping[str, str]
    ) -> Way:
        beneath = {
            place: self.clock.around(method, -1) if place[1] in _CALLS else method
            for place, method in official.methods.items()
        }
        made = super()._ours(Way(beneath, processors), processors, variables)
        methods = {
            place: self.clock.around(method, 1) if place[1] in _CALLS else method
            for place, method in made.methods.items()
        }
        return Way(methods, processors)


def measured(bench: Timed, name: str, *, calls: int) -> Sequence[float]:
    """Microseconds per call, sorted into quartiles."""
    load, found = WORKLOADS[name], []
    call = load.make(client())
    for number in range(_WARM_UP + max(calls // load.weight, 20)):
        bench.clock.ns = 0
        call()
        if number >= _WARM_UP:
            found.append(bench.clock.ns / 1_000)
        bench.provider.force_flush()
    return statistics.quantiles(found, n=4)


def main(arguments: Sequence[str]) -> None:
    """Print the quartiles for what is called without a stream."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agent.within")
    parser.add_argument("--calls", type=int, default=600)
    asked = parser.parse_args(arguments)
    bench = Timed()
    bench.use(OURS)
    print("µs in our functions per call")
    print(
        "| workload | quartile | median | quartile |", "|---|---:|---:|---:|", sep="\n"
    )
    for name, load in WORKLOADS.items():
        if load.per == 1:
            low, middle, high = measured(bench, name, calls=asked.calls)
            print(f"| {name} | {low:.0f} | {middle:.0f} | {high:.0f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
