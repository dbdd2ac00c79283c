"""A week of agent runs on the calendar, as the requests that exporters would send.

The same arguments give the same bytes, whatever the machine: one seeded source of
chance, no clock of its own.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, groupby
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from farthing.collector.demo import tell
from farthing.collector.demo.cast import CONTRACT_SUMMARY, TASKS, USERS, Agent, Task
from farthing.collector.demo.incidents import INCIDENTS
from farthing.collector.demo.run import play
from farthing.collector.demo.tape import Plan, Told


@dataclass(frozen=True, slots=True)
class _Drift:
    """For `since`, runs of `task` have brought `factor` times as much into context."""

    task: Task
    since: timedelta
    factor: float


@dataclass(frozen=True, slots=True)
class _Ended:
    """A span in its place on the calendar, serialised: a week of messages is large."""

    end_ns: int
    agent: Agent
    scope: str
    span: bytes


MAX_SPANS: Final = 512
"""Most spans in a request: the SDK's batch span processor sends no more."""

# How busy an hour of the day (UTC) and a day of the week (from Monday) is.
_MORNING: Final = (2, 2, 1, 1, 1, 2, 4, 9, 16, 20, 21, 19)
_AFTERNOON: Final = (15, 18, 21, 20, 17, 11, 7, 5, 4, 3, 3, 2)
_DAYS: Final = (10, 11, 11, 10, 9, 3, 2)

_GIVES_UP: Final = 0.02
_DRIFT: Final = _Drift(CONTRACT_SUMMARY, timedelta(days=2), 1.6)
_LATEST_END_S: Final = (2, 900)
_WINDOW_NS: Final = 3600 * 10**9
"""Spans of one emitter that end within the same window share requests."""


def fleet(
    now: datetime, *, seed: int = 1, days: int = 7, runs: int = 1500
) -> Iterator[ExportTraceServiceRequest]:
    """Requests with the spans of `runs` runs over the `days` before `now`, by time.

    Each request holds at most `MAX_SPANS` spans of one service and one scope. Two of
    the runs are the incidents, `LOOP_RUN_ID` and `RUNAWAY_RUN_ID`, the same whatever
    the seed. All have ended by `now`, which must be aware of its time zone.
    """
    rng = _chance(seed)
    ended: list[_Ended] = []
    for plan, ended_s_ago in INCIDENTS:
        told = play(plan, _chance(plan.run_id))
        ended += _ending(told, now - timedelta(seconds=ended_s_ago))
    for start in _starts(now, days=days, runs=runs - len(INCIDENTS), rng=rng):
        plan = _plan(rng, drifts=start > now - _DRIFT.since)
        ended += _starting(play(plan, rng), start, now=now, rng=rng)
    ended.sort(key=lambda one: one.end_ns)
    return _requests(ended)


def _chance(seed: int | str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - a story, not a secret


def _starts(
    now: datetime, *, days: int, runs: int, rng: random.Random
) -> list[datetime]:
    """When runs start: more by day than by night, fewer at the weekend."""
    hours = [now - timedelta(hours=back) for back in range(24 * days, 0, -1)]
    busy = _MORNING + _AFTERNOON
    weights = accumulate(busy[at.hour] * _DAYS[at.weekday()] for at in hours)
    chosen = rng.choices(hours, cum_weights=list(weights), k=runs)
    return sorted(hour + timedelta(seconds=rng.uniform(0, 3600)) for hour in chosen)


def _plan(rng: random.Random, *, drifts: bool) -> Plan:
    [task] = rng.choices(TASKS, [task.weight for task in TASKS])
    unit = rng.choice(task.business_units)
    [model] = rng.choices(*zip(*task.agent.models, strict=True))
    return Plan(
        run_id=f"{task.name}-{rng.randbytes(4).hex()}",
        task=task,
        user=rng.choice([user for user in USERS if user.business_unit == unit]),
        model=model,
        turns=_turns(task, rng),
        prompt_tokens=rng.randint(*task.prompt_tokens),
        result_factor=_DRIFT.factor if drifts and task is _DRIFT.task else 1.0,
        gives_up=rng.random() < _GIVES_UP,
    )


def _turns(task: Task, rng: random.Random) -> int:
    """Most runs are short: the mode is a quarter of the way up."""
    low, high = task.turns
    return round(rng.triangular(low, high, low + (high - low) / 4))


def _starting(
    told: list[Told], start: datetime, *, now: datetime, rng: random.Random
) -> list[_Ended]:
    """Put a run on the calendar at `start`, or earlier if it would end after `now`."""
    start_ns = _nanoseconds(start)
    latest_end_ns = _nanoseconds(now) - rng.randint(*_LATEST_END_S) * 10**9
    return _moved(told, min(start_ns, latest_end_ns - _duration_ns(told)))


def _ending(told: list[Told], end: datetime) -> list[_Ended]:
    return _moved(told, _nanoseconds(end) - _duration_ns(told))


def _duration_ns(told: list[Told]) -> int:
    return max(one.span.end_time_unix_nano for one in told)


def _moved(told: list[Told], by_ns: int) -> list[_Ended]:
    ended = []
    for one in told:
        one.span.start_time_unix_nano += by_ns
        one.span.end_time_unix_nano += by_ns
        end_ns, span = one.span.end_time_unix_nano, one.span.SerializeToString()
        ended.append(_Ended(end_ns, one.agent, one.scope, span))
    return ended


def _nanoseconds(time: datetime) -> int:
    return round(time.timestamp() * 1e6) * 1000


def _requests(ended: Iterable[_Ended]) -> Iterator[ExportTraceServiceRequest]:
    """`ended`, which is in order of time, as the batches of each emitter."""
    for _, window in groupby(ended, key=lambda one: one.end_ns // _WINDOW_NS):
        emitters: dict[tuple[str, str], list[_Ended]] = defaultdict(list)
        for one in window:
            emitters[one.agent.service, one.scope].append(one)
        for of_one_emitter in emitters.values():
            for first in range(0, len(of_one_emitter), MAX_SPANS):
                yield _request(of_one_emitter[first : first + MAX_SPANS])


def _request(batch: list[_Ended]) -> ExportTraceServiceRequest:
    scope = batch[0].scope
    scope_spans = ScopeSpans(
        scope=InstrumentationScope(name=scope, version=tell.scope_version(scope)),
        spans=[Span.FromString(one.span) for one in batch],
        schema_url=tell.SCHEMA_URL if scope.startswith("opentelemetry.") else "",
    )
    process = Resource(attributes=tell.key_values(tell.resource(batch[0].agent)))
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=process, scope_spans=[scope_spans])]
    )
