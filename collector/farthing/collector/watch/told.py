"""The steps of a run, from what its entries in the ledger tell."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Any, Final, TypeVar

from farthing.collector.watch.entry import Entry
from farthing.economics.loops import Step
from farthing.semconv import STEP_FIELDS, TOOL_RESULTS

_NUMBERS: Final = frozenset(("args_len", "result_len"))
_MOST_DIGITS: Final = 18
_TRUTHS: Final = frozenset(("empty", "error", "retryable"))
_TRUE: Final = frozenset(("true", "True", "1"))
_TRUTH: Final = {"": None, **dict.fromkeys(_TRUE, True)}
OVERLOAD: Final = ("ratelimit", "rate_limit", "overloaded", "serviceunavailable")
"""What errors of the other side's are called, besides their HTTP status."""
_T = TypeVar("_T")

ToldStep = tuple[Step, Entry]
"""A step, and the entry that told of it first."""


def steps(entries: Sequence[Entry]) -> list[ToldStep]:
    """The steps of a run; `entries` in the order in which they began."""
    return Telling().take(entries) or []


class Telling:
    """The steps of a run, told part by part.

    A tool call that several entries tell of is one step, where it was told of first,
    with the fingerprints of whoever has them. Of the oldest of more than `most` spans
    and steps is forgotten that they were told.
    """

    def __init__(self, *, most: int | None = None) -> None:
        self._most = most
        self._passed_over: dict[tuple[str, str], None] = {}
        self._told_by_tools: dict[str, None] = {}
        self._has_result: dict[str, bool] = {}

    def __len__(self) -> int:
        """How much is remembered."""
        return len(self._passed_over)

    def take(
        self, entries: Sequence[Entry], *, as_they_come: bool = False
    ) -> list[ToldStep] | None:
        """The steps that these entries tell of first; they began after all that were
        taken before. None where they change what was told before: begin anew then.
        Where they are taken `as_they_come`, what was told stays as it is."""
        doubles = {_span(e) for e in entries if e.is_double}
        if not as_they_come and not doubles.isdisjoint(self._passed_over):
            return None
        found: dict[str, ToldStep] = {}
        passed_over = self._passed_over
        for entry in entries:
            span = entry.trace_id, entry.span_id
            if entry.is_correction or span in passed_over:
                continue
            passed_over[span] = None  # One that is sent again tells nothing more.
            for step in self._steps_of(entry, is_double=span in doubles):
                call_id = step.call_id
                known = found.get(call_id)
                if known is not None:
                    old, teller = known
                    if _is_richer(step, old):
                        found[call_id] = (_merged(step, old), teller)
                elif call_id not in self._has_result:
                    found[call_id] = (step, entry)
                elif _adds(step, self._has_result) and not as_they_come:
                    return None
        for call_id, (step, _) in found.items():
            self._has_result[call_id] = bool(step.result_hash)
        self._forget_oldest()
        return list(found.values())

    def _steps_of(self, entry: Entry, *, is_double: bool) -> Sequence[Step]:
        """What an entry tells of; one that is told of twice is no call of its own."""
        if entry.kind == "tool":
            return () if is_double else [self._of_its_own(_tool(entry), entry)]
        if entry.kind != "model_call":
            return ()
        handed = list(_handed(entry)) if entry.handed else []
        return handed if is_double else handed + _reply(entry)

    def _of_its_own(self, step: Step, entry: Entry) -> Step:
        """Some emitters give an id of a tool call out twice: settling tells them
        apart."""
        if step.call_id in self._told_by_tools:
            return replace(step, call_id=entry.span_id)
        self._told_by_tools[step.call_id] = None
        return step

    def _forget_oldest(self) -> None:
        if self._most is not None and len(self._passed_over) > 2 * self._most:
            self._passed_over = newest(self._passed_over, self._most)
            self._told_by_tools = newest(self._told_by_tools, self._most)
            self._has_result = newest(self._has_result, self._most)


def newest(known: dict[Any, _T], number: int) -> dict[Any, _T]:
    """The last of what is known, so many."""
    return dict(islice(known.items(), max(len(known) - number, 0), None))


def _span(entry: Entry) -> tuple[str, str]:
    return entry.trace_id, entry.span_id


def _reply(entry: Entry) -> list[Step]:
    """A person who spoke, and the model's answer. None where it failed for good: the
    agent made no step by it."""
    time_ns = entry.at_us * 1000
    told = []
    if entry.user_turn in _TRUE:
        spoken = f"{entry.span_id} user"
        person = Step(
            kind="user",
            agent=entry.agent,
            call_id=spoken,
            time_ns=time_ns,
            text_hash=spoken,
        )
        told.append(person)
    status = _status(entry) if entry.error_type else None
    if entry.error_type and not _is_retryable(entry, status):
        return told
    reply = Step(
        kind="llm",
        name="llm",
        agent=entry.agent,
        call_id=entry.span_id,
        time_ns=time_ns,
        text_hash=entry.text_hash,
        text_norm_hash=entry.text_norm_hash,
        input_tokens=entry.input,
        output_tokens=entry.output,
        status=status,
        retryable=bool(entry.error_type),
    )
    told.append(reply)
    return told


def _tool(entry: Entry) -> Step:
    """A tool's own span. Without fingerprints, what failed and how is all we know."""
    step = Step(
        kind="tool",
        name=entry.tool_name,
        agent=entry.agent,
        call_id=entry.tool_call_id or entry.span_id,
        time_ns=entry.at_us * 1000,
        args_hash=entry.args_hash,
        args_norm_hash=entry.args_norm_hash,
        args_len=_number(entry.args_len),
        args_simhash=entry.args_simhash,
        result_hash=entry.result_hash,
        result_norm_hash=entry.result_norm_hash,
        result_shape_hash=entry.result_shape_hash,
        result_len=_number(entry.result_len),
        result_simhash=entry.result_simhash,
        empty=_TRUTH.get(entry.empty, False),
        error=_TRUTH.get(entry.error, False),
        err_sig_hash=entry.err_sig_hash,
        retryable=entry.retryable in _TRUE,
    )
    if entry.error_type:
        step.error = True
        step.err_sig_hash = step.err_sig_hash or f"{entry.tool_name} {entry.error_type}"
        step.status = _status(entry)
        step.retryable = step.retryable or _is_retryable(entry, step.status)
    return step


def _handed(entry: Entry) -> Iterator[Step]:
    """The tool results that a model call was newly handed."""
    told = _results(entry)
    for number, call_id in enumerate(told.get("call_id", [])):
        mine = {field: _at(values, number) for field, values in told.items()}
        if call_id:
            yield Step(
                kind="tool",
                name=mine.get("name", ""),
                agent=entry.agent,
                call_id=call_id,
                time_ns=entry.at_us * 1000,
                **_fields((f, mine.get(f, "")) for f in STEP_FIELDS),
            )


def _results(entry: Entry) -> dict[str, list[str]]:
    return {
        name.removeprefix(TOOL_RESULTS): value.split(",")
        for name, value in json.loads(entry.handed).items()
    }


def _at(values: list[str], number: int) -> str:
    return values[number] if number < len(values) else ""


def _fields(told: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Fields of a step from texts; what is not known, or is no number, is left out."""
    fields: dict[str, Any] = {}
    for name, text in told:
        if not text:
            continue
        if name in _NUMBERS:
            fields[name] = _number(text)
        elif name in _TRUTHS:
            fields[name] = _truth(text)
        else:
            fields[name] = text
    return fields


@lru_cache(maxsize=8192)
def _number(text: str) -> int | None:
    is_number = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if is_number else None


def _truth(text: str) -> bool | None:
    return _TRUTH.get(text, False)


def _adds(step: Step, has_result: dict[str, bool]) -> bool:
    """Whether a call that was told of without its result is told of with it."""
    return bool(step.result_hash and not has_result[step.call_id])


def _is_richer(step: Step, old: Step) -> bool:
    return bool(step.result_hash and not old.result_hash)


def _merged(step: Step, old: Step) -> Step:
    """The fingerprints of one telling, with what only the other says."""
    told: dict[str, Any] = {name: getattr(step, name) for name in STEP_FIELDS}
    told["error"] = bool(old.error or step.error)
    told["retryable"] = old.retryable or step.retryable
    return replace(old, **told, name=old.name or step.name)


def _status(entry: Entry) -> int | None:
    """HTTP status of a failure: emitters put it in error.type, or beside it."""
    for text in (entry.error_type, entry.http_status):
        if len(text) == 3 and text.isdecimal():
            return int(text)
    return None


def _is_retryable(entry: Entry, status: int | None) -> bool:
    if status is not None:
        return status in (408, 425, 429) or status >= 500
    name = entry.error_type.lower()
    return any(word in name for word in OVERLOAD)
