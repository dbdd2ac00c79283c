"""Runs an agent as its user would, and sets what the ledger says beside the bill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from farthing.collector.demo.providers import Item, Providers
from tests.receive.running import Running
from tests.settle.conftest import Book

AGENTS = Path(__file__).parent / "agents"
BUCKETS = (
    "input", "cache_read", "cache_write_5m", "cache_write_1h", "input_audio",
    "cache_audio", "output", "reasoning", "output_audio",
)  # fmt: skip
RUN_S = 120


@dataclass
class Case:
    """One case: what the application saw, what was billed, what the ledger says."""

    name: str
    saw: Any = None
    error: str = ""
    billed: list[Item] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    tool_calls: int = 0

    @property
    def told(self) -> list[dict[str, Any]]:
        """Calls whose usage is known to its end."""
        return [row for row in self.rows if not _is_open(row)]

    @property
    def is_lifetime_assumed(self) -> bool:
        """Whether cache writes for an hour were told without their lifetime."""
        are_assumed = any("ttl_assumed" in row["flags"] for row in self.told)
        return are_assumed and any(item.buckets.cache_write_1h for item in self.billed)

    def differences(self) -> dict[str, Any]:
        """What the ledger does not say as the bill does; empty where all is right."""
        whole = [item for item in self.billed if item.state == "complete"]
        told = [[row[f"{bucket}_tokens"] for bucket in BUCKETS] for row in self.told]
        billed = [[asdict(i.buckets)[bucket] for bucket in BUCKETS] for i in whole]
        searches = sum(row["web_searches"] for row in self.told)
        found = {
            "calls": (len(self.rows), len(self.billed)),
            "with usage": (len(self.told), len(whole)),
            "searches": (searches, sum(item.web_searches for item in whole)),
            **dict(
                zip(BUCKETS, zip(_sums(told), _sums(billed), strict=True), strict=True)
            ),
        }
        if self.is_lifetime_assumed:
            short, long = found.pop("cache_write_5m"), found.pop("cache_write_1h")
            found["cache writes"] = (short[0] + long[0], short[1] + long[1])
        wrong: dict[str, Any] = {k: v for k, v in found.items() if v[0] != v[1]}
        if self.error:
            wrong["error"] = self.error
        return wrong


def _sums(rows: list[list[int]]) -> list[int]:
    return [sum(column) for column in zip(*rows, strict=True)] or [0] * len(BUCKETS)


@dataclass
class Tried:
    """An agent that has run."""

    cases: dict[str, Case]
    stderr: str
    book: Book


def _is_open(row: dict[str, Any]) -> bool:
    """Whether the ledger says that it does not know all of the call's usage."""
    return row["cost_state"] == "no_usage" or "usage_partial" in row["flags"]


def _of(row: dict[str, Any], cases: dict[str, Case]) -> Case:
    """The case of a row. A program that was started by the agent tells no step."""
    if not row["step"] and len(cases) == 1:
        return next(iter(cases.values()))
    return cases[row["step"]]


def _told(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """The lines of JSON that an agent printed."""
    lines = [json.loads(x) for x in done.stdout.splitlines() if x[:1] == "{"]
    assert lines, done.stdout + done.stderr
    return lines


@dataclass(frozen=True)
class Runner:
    """Runs agents against the stand-in, and loads what they tell into a ledger."""

    providers: Providers
    receiver: Running
    book: Book

    def run(
        self,
        agent: str,
        *cases: str,
        python: str = sys.executable,
        **environment: str,
    ) -> Tried:
        """Run an agent under `opentelemetry-instrument`, with three variables set."""
        self.providers.bill.clear()
        self.receiver.spool.requests.clear()
        self.book.clear()
        done = self._run(
            python, AGENTS / f"{agent}.py", *cases, environment=environment
        )
        self.book.load_requests(self.receiver.spool.requests)
        return Tried(self._cases(_told(done)), done.stderr, self.book)

    def run_bare(self, agent: str) -> dict[str, Any]:
        """Run an agent without any instrumentation: what the application saw."""
        done = self._run(sys.executable, AGENTS / f"{agent}.py", instrument=False)
        return {line["case"]: line["saw"] for line in _told(done)}

    def run_broken(
        self,
        agent: str,
        places: Sequence[str],
        *,
        cases: Sequence[str],
        python: str = sys.executable,
    ) -> dict[str, Any]:
        """Run cases of an agent with each place of ours broken: what was seen."""
        script = AGENTS / "broken.py"
        words = (agent, ",".join(cases), *places)
        done = self._run(python, script, *words)
        return {line["place"]: line["saw"] for line in _told(done)}

    def _run(
        self,
        python: str,
        *words: str | Path,
        instrument: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        program = Path(python).with_name("opentelemetry-instrument")
        return subprocess.run(
            [*([program] if instrument else []), python, *words],
            env={**self._environment(), **(environment or {})},
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )

    def _environment(self) -> dict[str, str]:
        kept = {"PATH", "HOME", "LANG", "TMPDIR"}
        inherited = {k: v for k, v in os.environ.items() if k in kept}
        return {
            **inherited,
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.receiver.http_url,
            "FARTHING_TASK_TYPE": "sdk-test",
            "FARTHING_BUSINESS_UNIT": "tests",
            "PROVIDERS_URL": self.providers.url,
            "PYTHONWARNINGS": "ignore",
        }

    def _cases(self, saw: Iterable[dict[str, Any]]) -> dict[str, Case]:
        cases = {
            line["case"]: Case(line["case"], line["saw"], line["error"]) for line in saw
        }
        for item in self.providers.bill.items:
            cases[item.case].billed.append(item)
        for row in self._calls():
            _of(row, cases).rows.append(row)
        for row in self._tools():
            _of(row, cases).tool_calls += row["n"]
        return cases

    def _tools(self) -> Iterator[dict[str, Any]]:
        yield from self.book.store.rows(
            "SELECT step, sum(tool_calls) AS n FROM spans WHERE kind = 'tool'"
            " GROUP BY step"
        )

    def _calls(self) -> Iterator[dict[str, Any]]:
        """Calls in force: per span its last entry, where its sum is one."""
        measures = ", ".join(f"sum({b}_tokens) AS {b}_tokens" for b in BUCKETS)
        yield from self.book.store.rows(
            f"SELECT step, trace_id, span_id, sum(calls) AS n, {measures},"
            " sum(web_searches) AS web_searches, sum(cost_usd) AS cost_usd,"
            " argMax(cost_state, (calls > 0, entry = 'correction')) AS cost_state,"
            " argMax(flags, (calls > 0, entry = 'correction')) AS flags,"
            " any(scope) AS scope, any(model) AS model, any(task_type) AS task_type,"
            " any(business_unit) AS business_unit"
            " FROM spans WHERE kind IN ('model_call', 'embedding')"
            " GROUP BY step, trace_id, span_id HAVING n = 1"
        )
