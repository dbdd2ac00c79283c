"""What the detector says: an episode without progress, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["loop", "retry_storm", "stalled"]
Level = Literal["suspected", "confirmed"]
Pattern = Literal[
    "repeat", "cycle", "same_error", "same_result", "monologue", "retries", "slow"
]


class Mark(NamedTuple):
    """Where in a run something is: the step's place (from 0) among all steps and among
    tool steps, its `call_id` and its time, as far as they were told."""

    step: int
    tool_step: int
    call_id: str
    time_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One episode of one agent in one run, as it is known after some step.

    `episode` counts from 1 within the agent's run: with the agent it is the finding's
    identity, whatever else changes. `first` is the first repeat (the onset), `last` the
    newest step of the episode, `calls` how many tool calls, or replies without tools,
    lie between them, both included. `at` is where it reached its present level.
    `period` is the number of calls after which it recurs, 0 if irregular. `ongoing`
    turns false when the agent made progress, a person spoke, or the run ended.
    """

    kind: Kind
    level: Level
    pattern: Pattern
    agent: str
    episode: int
    ongoing: bool
    period: int
    calls: int
    first: Mark
    last: Mark
    at: Mark
    score: float
    why: str
