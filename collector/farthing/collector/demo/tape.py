"""What is told of a run: its spans, on a clock that starts at zero."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from farthing import semconv
from farthing.collector.demo import tell

if TYPE_CHECKING:
    from farthing.collector.demo.cast import Agent, Task, User
    from farthing.collector.demo.models import Model
    from farthing.collector.demo.tell import Attributes, ToolCall

_FLAGS_SAMPLED: Final = 0x100  # as the official exporters send: W3C flags are known


@dataclass(frozen=True, slots=True)
class Stuck:
    """From turn `after` on, the agent makes the same call, which fails the same way."""

    after: int
    call: ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is decided of a run before it starts.

    `result_factor` scales what tools bring back; with `gives_up` the run ends in an
    error instead of an answer.
    """

    run_id: str
    task: Task
    user: User
    model: Model
    turns: int
    prompt_tokens: int
    result_factor: float = 1.0
    stuck: Stuck | None = None
    gives_up: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """One finished span and who told of it; its times count from the run's start."""

    agent: Agent
    scope: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One agent's share of a run."""

    agent: Agent
    model: Model
    turns: int
    prompt_tokens: int
    parent: bytes = b""


class Tape:
    """What has been told of a run so far, and its clock."""

    def __init__(self, plan: Plan, rng: random.Random) -> None:
        self.plan = plan
        self.rng = rng
        self.told: list[Told] = []
        self.now_ns = 0
        self.step = plan.task.steps[0]
        self.tool_calls = 0
        self._trace_id = rng.randbytes(16)
        self._whose = tell.key_values(
            tell.whose(plan.task.name, run_id=plan.run_id, user=plan.user)
        )

    @property
    def now_s(self) -> float:
        return self.now_ns / 1e9

    def wait(self, seconds: float) -> None:
        self.now_ns += int(seconds * 1e9)

    def id(self) -> bytes:
        return self.rng.randbytes(8)

    def tell(
        self,
        part: Part,
        attributes: Attributes,
        *,
        name: str,
        start_ns: int,
        parent: bytes,
        scope: str = "",
        span_id: bytes = b"",
    ) -> None:
        """A span from `start_ns` until now; with a `scope` it is a call to an API."""
        own = {
            **attributes,
            semconv.STEP_NAME: self.step,
            "gen_ai.agent.name": part.agent.name,
        }
        span = Span(
            trace_id=self._trace_id,
            span_id=span_id or self.id(),
            parent_span_id=parent,
            name=name,
            kind=Span.SPAN_KIND_CLIENT if scope else Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=start_ns,
            end_time_unix_nano=self.now_ns,
            attributes=[*tell.key_values(own), *self._whose],
            flags=_FLAGS_SAMPLED,
        )
        if "error.type" in attributes:
            span.status.code = Status.STATUS_CODE_ERROR
        self.told.append(Told(part.agent, scope or part.agent.scope, span))
