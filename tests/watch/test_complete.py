"""What the watch does not look at closely has no finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import Any, TypeVar

import pytest

from farthing.collector.demo.tell import Attributes
from farthing.collector.store.finding import StoredFinding
from farthing.collector.watch.judge import judge
from farthing.collector.watch.read import Reader
from farthing.semconv import FINGERPRINT, TOOL_RESULTS
from tests.watch.conftest import Watched
from tests.watch.spans import Told, asked

OF_TOOLS = {
    "args_hash": ("", "a1", "a2", "a3"),
    "result_hash": ("", "r1", "r2", "r3"),
    "result_norm_hash": ("", "n1", "n2"),
    "result_len": ("", "4", "40", "4000", "5000000000"),
    "err_sig_hash": ("", "", "e1", "e2"),
    "error": ("", "", "true"),
    "empty": ("", "", "true"),
    "retryable": ("", "", "", "true"),
}
OF_REPLIES = {"text_hash": ("", "t1", "t2"), "text_norm_hash": ("", "m1")}
FAILURES = ("429", "500", "502", "503", "529", "RateLimitError", "ToolError", "_OTHER")
SPANS = 14
_T = TypeVar("_T")


class Runs:
    """Made-up runs in which anything may come again, each of a few kinds of steps; of
    some runs only model calls tell of the tools."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def run(self, run: str) -> Iterator[Told]:
        has_tools = self._is(0.8)
        kinds = [self._step(has_tools) for _ in range(self._random.randint(1, 4))]
        for number in range(SPANS):
            likely = kinds if self._is(0.85) else [self._step(has_tools)]
            own = self._random.choice(likely)
            told = asked(run, f"{number}", 10.0 * number)
            if own["gen_ai.operation.name"] == "chat":
                handed = self._handed(f"{run} {number}", 0.2 if has_tools else 0.9)
                own = {**told.attributes, **own, **handed}
            yield replace(told, attributes=own)

    def _step(self, has_tools: bool) -> Attributes:
        failed = {"error.type": self._one(FAILURES)} if self._is(0.3) else {}
        status = {"http.response.status_code": 503} if self._is(0.1) else {}
        own = self._tool() if has_tools and self._is(0.6) else self._reply()
        return {**failed, **status, **own}

    def _tool(self) -> Attributes:
        return {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": self._one(("read", "run")),
            **{f"{FINGERPRINT}{k}": v for k, v in self._some(OF_TOOLS).items() if v},
        }

    def _reply(self) -> Attributes:
        return {
            "gen_ai.operation.name": "chat",
            "gen_ai.usage.output_tokens": self._one((10, 100)),
            **{f"{FINGERPRINT}{k}": v for k, v in self._some(OF_REPLIES).items() if v},
        }

    def _handed(self, name: str, share: float) -> Attributes:
        if not self._is(share):
            return {}
        told = {"call_id": f"call {name}", "name": "read", **self._some(OF_TOOLS)}
        return {f"{TOOL_RESULTS}{field}": (value,) for field, value in told.items()}

    def _some(self, choices: dict[str, tuple[str, ...]]) -> dict[str, str]:
        return {name: self._one(values) for name, values in choices.items()}

    def _one(self, choices: Sequence[_T]) -> _T:
        return self._random.choice(choices)

    def _is(self, share: float) -> bool:
        return self._random.random() < share


@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_let_by(watched: Watched, seed: int) -> None:
    """Which runs are read and judged is told by a few numbers of their steps. All that
    judging every run finds is found, also where spans come in any order."""
    random, runs = Random(seed), Runs(seed)
    spans = [told for number in range(400) for told in runs.run(f"run {number}")]
    if seed % 2:
        random.shuffle(spans)
    else:
        spans.sort(key=lambda told: told.start_s)
    for first in range(0, len(spans), 1500):
        watched.load(spans[first : first + 1500])
    while watched.watcher.look_again():
        pass
    found = map(StoredFinding.of_row, watched.findings("*"))
    expected = by_key(all_of(watched, spans))
    assert len(expected) > 200
    assert by_key(found) == expected


def all_of(watched: Watched, spans: list[Told]) -> Iterator[StoredFinding]:
    """What judging each run finds."""
    sizes = Counter(told.run for told in spans)
    for _, entries in Reader(watched.store).entries(sizes):
        yield from judge(entries)


def by_key(found: Iterable[StoredFinding]) -> dict[Any, StoredFinding]:
    return {each.key: replace(each, version=0) for each in found}
