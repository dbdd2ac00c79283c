"""A run as shipped rules see it: tool calls with what was said before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from farthing.economics.loops import Step


@dataclass(frozen=True)
class Call:
    """A tool call. `key` is name and arguments; `turn` counts what people said before;
    `alone`, whether a reply without a tool call came since the last call."""

    key: tuple[str, str]
    thought: str
    result: str
    error: bool
    signature: str
    result_len: int
    turn: int


@dataclass(frozen=True)
class Reply:
    """A reply of the model that called no tool; `text` is its hash, `at` the number of
    tool calls before it."""

    text: str
    at: int
    turn: int


def calls_and_replies(steps: Sequence[Step]) -> list[Call | Reply]:
    """The events of a run in their order."""
    events: list[Call | Reply] = []
    said: str | None = None
    turn = calls = 0
    for step in steps:
        if step.kind == "tool":
            events.append(_call(step, said or "", turn))
            calls += 1
            said = None
            continue
        if said is not None:
            events.append(Reply(said, calls, turn))
        said = step.text_hash if step.kind == "llm" else None
        turn += step.kind == "user"
    if said is not None:
        events.append(Reply(said, calls, turn))
    return events


def _call(step: Step, thought: str, turn: int) -> Call:
    return Call(
        key=(step.name, step.args_hash),
        thought=thought,
        result=step.result_hash,
        error=bool(step.error),
        signature=step.err_sig_hash,
        result_len=step.result_len or 0,
        turn=turn,
    )
