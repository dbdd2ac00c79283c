"""The demo's fleet: real OTLP, the same every time, and worth looking at."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

import pytest
from genai_prices import Usage, calc_price

from farthing import semconv
from farthing.collector.demo import cast, models
from farthing.collector.demo.fleet import MAX_SPANS, fleet
from farthing.collector.demo.incidents import LOOP_RUN_ID, RUNAWAY_RUN_ID

if TYPE_CHECKING:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
        ExportTraceServiceRequest,
    )
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

NOW = datetime(2026, 3, 18, 14, 30, tzinfo=UTC)
MODEL_CALLS = {"chat", "generate_content"}
PROVIDERS = {"openai": "openai", "anthropic": "anthropic", "gemini": "google"}


@dataclass(frozen=True)
class Line:
    """A span of the fleet as a test reads it."""

    service: str
    scope: str
    span: Span
    said: dict[str, object]

    @property
    def run_id(self) -> str:
        return str(self.said["farthing.task.id"])

    @property
    def operation(self) -> object:
        return self.said["gen_ai.operation.name"]

    def tokens(self, name: str) -> int:
        return int(str(self.said.get(f"gen_ai.usage.{name}", 0)))


@cache
def requests() -> tuple[ExportTraceServiceRequest, ...]:
    return tuple(fleet(NOW))


@cache
def lines() -> tuple[Line, ...]:
    return tuple(line for request in requests() for line in _lines(request))


def _lines(request: ExportTraceServiceRequest) -> Iterator[Line]:
    for resource in request.resource_spans:
        process = {a.key: a.value.string_value for a in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                said = {
                    a.key: getattr(a.value, a.value.WhichOneof("value") or "")
                    for a in span.attributes
                }
                yield Line(process["service.name"], scope.scope.name, span, said)


@cache
def runs() -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = defaultdict(list)
    for line in lines():
        found[line.run_id].append(line)
    return found


def model_calls(run_id: str) -> list[Line]:
    return [line for line in runs()[run_id] if line.operation in MODEL_CALLS]


def cost_usd(line: Line) -> Decimal:
    """What the public price list says; nothing for a model that it does not have."""
    usage = Usage(
        input_tokens=line.tokens("input_tokens"),
        output_tokens=line.tokens("output_tokens"),
        cache_read_tokens=line.tokens("cache_read.input_tokens"),
        cache_write_tokens=line.tokens("cache_write.input_tokens"),
    )
    provider = PROVIDERS[str(line.said["gen_ai.provider.name"])]
    model = str(line.said["gen_ai.response.model"])
    return calc_price(usage, model, provider_id=provider).total_price


def is_priced(line: Line) -> bool:
    try:
        return cost_usd(line) >= 0
    except (LookupError, KeyError):
        return False


@cache
def run_costs_usd() -> dict[str, Decimal]:
    return {
        run_id: sum((cost_usd(line) for line in of_run if is_priced(line)), Decimal(0))
        for run_id, of_run in runs().items()
    }


def task_type(run_id: str) -> object:
    return runs()[run_id][0].said["farthing.task.type"]


def test_same_arguments_give_the_same_bytes() -> None:
    """Nothing but its arguments decides what the fleet does."""
    first, again = (
        [r.SerializeToString(deterministic=True) for r in fleet(NOW, runs=60)]
        for _ in range(2)
    )
    assert first == again


def test_another_seed_is_another_week() -> None:
    """A seed changes the runs, but not the two incidents."""
    one, two = (
        {line.run_id for r in fleet(NOW, runs=40, seed=seed) for line in _lines(r)}
        for seed in (1, 2)
    )
    assert one & two == {LOOP_RUN_ID, RUNAWAY_RUN_ID}


def test_size_of_a_week() -> None:
    """A week has 1,500 runs, 25,000 to 32,000 spans of about 20 attributes."""
    assert len(runs()) == 1500
    assert 25_000 <= len(lines()) <= 32_000
    attributes = sum(len(line.span.attributes) for line in lines())
    assert 15 <= attributes / len(lines()) <= 25


def test_requests_are_what_an_exporter_sends() -> None:
    """A request is one service's and one scope's, not above the SDK's batch size."""
    for request in requests():
        [resource] = request.resource_spans
        [scope] = resource.scope_spans
        assert 0 < len(scope.spans) <= MAX_SPANS
        ends = [span.end_time_unix_nano for span in scope.spans]
        assert ends == sorted(ends)


def test_all_has_happened_in_the_days_before_now() -> None:
    """Every span starts before it ends, within the days asked for, never after now."""
    now_ns = int(NOW.timestamp() * 1e9)
    first_ns = int((NOW - timedelta(days=7, hours=2)).timestamp() * 1e9)
    for line in lines():
        start_ns = line.span.start_time_unix_nano
        assert first_ns <= start_ns <= line.span.end_time_unix_nano <= now_ns


def test_parents_exist_and_enclose_their_children() -> None:
    """Each run is one trace, a tree with one root; a child lies within its parent."""
    for of_run in runs().values():
        spans = {line.span.span_id: line.span for line in of_run}
        assert len(spans) == len(of_run)
        assert len({line.span.trace_id for line in of_run}) == 1
        roots = [line for line in of_run if not line.span.parent_span_id]
        assert [line.operation for line in roots] == ["invoke_agent"]
        for span in spans.values():
            if span.parent_span_id:
                parent = spans[span.parent_span_id]
                assert parent.start_time_unix_nano <= span.start_time_unix_nano
                assert span.end_time_unix_nano <= parent.end_time_unix_nano


def test_every_span_says_for_whom() -> None:
    """Attribution is on each span, and a user's team and unit are always the same."""
    units = {user.name: (user.team, user.business_unit) for user in cast.USERS}
    for line in lines():
        said = line.said
        user = str(said["farthing.user"])
        assert units[user] == (said["farthing.team"], said["farthing.business_unit"])
        assert said["farthing.step.name"]
        assert said["gen_ai.agent.name"]
    assert {line.said["farthing.business_unit"] for line in lines()} == {
        user.business_unit for user in cast.USERS
    }


def test_no_message_content() -> None:
    """No attribute may hold what people wrote, and spans carry no events."""
    assert not any(line.span.events for line in lines())
    names = {name for line in lines() for name in line.said}
    for name in names:
        assert not any(f"{name}.".startswith(f"{c}.") for c in semconv.CONTENT)
    hashes = {
        str(value)
        for line in lines()
        for name, value in line.said.items()
        if name.endswith("_hash")
    }
    assert all(re.fullmatch(r"[0-9a-f]{16}", value) for value in hashes)


def test_each_kind_of_task_has_a_median() -> None:
    """Of each kind there are at least 30 runs that ended without an error."""
    finished = Counter(
        line.said["farthing.task.type"]
        for line in lines()
        if not line.span.parent_span_id and not line.span.status.code
    )
    assert set(finished) == {task.name for task in cast.TASKS}
    assert min(finished.values()) >= 30


def test_there_is_a_day_and_a_week() -> None:
    """More runs start by day than by night, and on a workday than on a Sunday."""
    roots = [line.span for line in lines() if not line.span.parent_span_id]
    starts = [datetime.fromtimestamp(s.start_time_unix_nano / 1e9, UTC) for s in roots]
    hours = Counter(start.hour for start in starts)
    days = Counter(start.strftime("%a") for start in starts)
    assert sum(hours[h] for h in (9, 10, 11)) > 5 * sum(hours[h] for h in (1, 2, 3))
    assert days["Tue"] > 3 * days["Sun"] > 0


@pytest.mark.parametrize("api", [models.OPENAI, models.ANTHROPIC, models.GEMINI])
def test_token_buckets_fit_into_their_totals(api: models.Api) -> None:
    """Input includes what went through the cache, output includes reasoning."""
    calls = [
        line
        for line in lines()
        if line.scope == api.scope and line.tokens("input_tokens")
    ]
    assert any(line.tokens("cache_read.input_tokens") for line in calls)
    for line in calls:
        cached = line.tokens("cache_read.input_tokens") + line.tokens(
            "cache_write.input_tokens"
        )
        assert cached <= line.tokens("input_tokens")
        assert line.tokens("reasoning.output_tokens") <= line.tokens("output_tokens")


def _conversations(agent: str = "") -> list[list[Line]]:
    """The calls with usage of each agent at work, in order."""
    found: dict[bytes, list[Line]] = defaultdict(list)
    for line in lines():
        is_wanted = not agent or line.said["gen_ai.agent.name"] == agent
        if is_wanted and line.operation in MODEL_CALLS and line.tokens("input_tokens"):
            found[line.span.parent_span_id].append(line)
    for calls in found.values():
        calls.sort(key=lambda line: line.span.start_time_unix_nano)
    return list(found.values())


def test_context_grows_until_it_is_compacted() -> None:
    """An agent's input grows from turn to turn; only a compaction makes it smaller."""
    compactions = 0
    for calls in _conversations():
        for before, after in pairwise(calls):
            is_compaction = before.said["farthing.step.name"] == "compact"
            grows = after.tokens("input_tokens") > before.tokens("input_tokens")
            assert grows != is_compaction
            compactions += is_compaction
    assert compactions > 5


def test_a_pause_costs_the_cache() -> None:
    """After a pause beyond the cache's lifetime the next call reads nothing from it."""
    missed = 0
    for calls in _conversations("contract-reader"):
        for before, after in pairwise(calls):
            pause_ns = (
                after.span.start_time_unix_nano - before.span.start_time_unix_nano
            )
            if pause_ns > 300 * 10**9:
                missed += 1
                assert after.tokens("cache_read.input_tokens") == 0
                assert after.tokens("cache_write.input_tokens") > 0
    assert missed > 3


def test_one_agent_works_for_another() -> None:
    """A helper's spans belong to the asking agent's run, under its tool span."""
    helpers = [
        line
        for line in lines()
        if line.operation == "invoke_agent" and line.span.parent_span_id
    ]
    assert {line.said["gen_ai.agent.name"] for line in helpers} == {
        cast.TEST_RUNNER.name,
        cast.SUMMARISER.name,
    }
    for helper in helpers:
        [parent] = [
            line
            for line in runs()[helper.run_id]
            if line.span.span_id == helper.span.parent_span_id
        ]
        assert (
            parent.said["gen_ai.tool.name"] == f"ask_{helper.said['gen_ai.agent.name']}"
        )


def test_refused_calls_are_tried_again() -> None:
    """A 429 has no usage, and the same run's next model call is the same question."""
    refused = [
        line
        for line in lines()
        if line.operation in MODEL_CALLS and "error.type" in line.said
    ]
    assert len(refused) > 20
    for line in refused:
        assert "gen_ai.usage.input_tokens" not in line.said
        later = [
            other
            for other in model_calls(line.run_id)
            if other.span.parent_span_id == line.span.parent_span_id
            and other.span.start_time_unix_nano >= line.span.end_time_unix_nano
        ]
        assert later


def test_what_has_no_price_and_what_has_no_usage() -> None:
    """Two models are on no price list, and some streams tell no usage."""
    answered = [
        line
        for line in lines()
        if line.operation in MODEL_CALLS and "error.type" not in line.said
    ]
    silent = [line for line in answered if not line.tokens("input_tokens")]
    assert silent
    assert all(line.said["gen_ai.request.stream"] for line in silent)
    unpriced = {
        str(line.said["gen_ai.response.model"])
        for line in answered
        if line.tokens("input_tokens") and not is_priced(line)
    }
    assert unpriced == {models.UNKNOWN.name, models.LOCAL.name}


def _repeats(run_id: str) -> int:
    """The most calls in the run that share arguments and, normalised, result."""
    seen = Counter(
        (
            line.said["gen_ai.tool.name"],
            line.said["farthing.fingerprint.args_hash"],
            line.said["farthing.fingerprint.result_norm_hash"],
        )
        for line in runs()[run_id]
        if line.operation == "execute_tool"
    )
    return max(seen.values(), default=0)


def test_exactly_one_run_loops() -> None:
    """One run makes the same failing call dozens of times; no other repeats one."""
    repeats = {run_id: _repeats(run_id) for run_id in runs()}
    assert repeats.pop(LOOP_RUN_ID) >= 36
    assert max(repeats.values()) == 1
    stuck = [
        line
        for line in runs()[LOOP_RUN_ID]
        if line.operation == "execute_tool" and line.said["farthing.fingerprint.error"]
    ]
    signatures = {
        line.said["farthing.fingerprint.err_sig_hash"] for line in stuck[-30:]
    }
    assert len(signatures) == 1


def test_exactly_one_run_costs_a_multiple_without_looping() -> None:
    """The runaway costs 5 to 8 times its kind's median; apart from the loop, no other
    run costs even 5 times its own."""
    of_kind: dict[object, list[Decimal]] = defaultdict(list)
    for run_id, cost in run_costs_usd().items():
        of_kind[task_type(run_id)].append(cost)
    ratios = {
        run_id: cost / median(of_kind[task_type(run_id)])
        for run_id, cost in run_costs_usd().items()
    }
    assert 5 <= ratios.pop(RUNAWAY_RUN_ID) <= 8
    ratios.pop(LOOP_RUN_ID)
    assert max(ratios.values()) < 5


@pytest.mark.parametrize("run_id", [LOOP_RUN_ID, RUNAWAY_RUN_ID])
def test_incidents_look_live(run_id: str) -> None:
    """Both incidents lie in the last hour."""
    hour_ago_ns = int((NOW - timedelta(hours=1)).timestamp() * 1e9)
    assert min(line.span.start_time_unix_nano for line in runs()[run_id]) > hour_ago_ns
