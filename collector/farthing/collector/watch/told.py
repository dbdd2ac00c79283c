"""The steps of a run, from what its entries in the ledger tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from farthing.economics.loops import Step
from farthing.semconv import FINGERPRINT, STEP_FIELDS, TOOL_RESULTS

_NUMBERS: Final = frozenset(("args_len", "result_len"))
_MOST_DIGITS: Final = 18
_TRUTHS: Final = frozenset(("empty", "error"))
_TRUE: Final = frozenset(("true", "True", "1"))
_OVERLOAD: Final = ("ratelimit", "rate_limit", "overloaded", "serviceunavailable")
"""What errors of the other side's are called, besides their HTTP status."""


@dataclass(frozen=True, slots=True)
class ToldStep:
    """A step, and the entry that told of it first."""

    step: Step
    entry: Mapping[str, Any]


def steps(entries: Sequence[Mapping[str, Any]]) -> list[ToldStep]:
    """The steps of a run; `entries` in the order in which they began."""
    return Telling().take(entries) or []


class Telling:
    """The steps of a run, told part by part.

    A tool call that several entries tell of is one step, where it was told of first,
    with the fingerprints of whoever has them.
    """

    def __init__(self) -> None:
        self._passed_over: set[tuple[str, str]] = set()
        self._told_by_tools: set[str] = set()
        self._has_result: dict[str, bool] = {}

    def take(self, entries: Sequence[Mapping[str, Any]]) -> list[ToldStep] | None:
        """The steps that these entries tell of first; they began after all that were
        taken before. None where they change what was told before: begin anew then."""
        doubles = {_span(e) for e in entries if e["reason"] == "duplicate"}
        if not doubles.isdisjoint(self._passed_over):
            return None
        found: dict[str, ToldStep] = {}
        for step, entry in self._all(entries, doubles):
            known = found.get(step.call_id)
            if known is not None:
                if _is_richer(step, known.step):
                    merged = _merged(step, known.step)
                    found[step.call_id] = ToldStep(merged, known.entry)
            elif step.call_id not in self._has_result:
                found[step.call_id] = ToldStep(step, entry)
            elif step.result_hash and not self._has_result[step.call_id]:
                return None
        for call_id, each in found.items():
            self._has_result[call_id] = bool(each.step.result_hash)
        return list(found.values())

    def _all(
        self, entries: Iterable[Mapping[str, Any]], doubles: set[tuple[str, str]]
    ) -> Iterator[tuple[Step, Mapping[str, Any]]]:
        """Each step as often as it is told."""
        for entry in entries:
            span = _span(entry)
            if entry["entry"] != "span" or span in self._passed_over:
                continue
            self._passed_over.add(span)  # One that was sent again tells nothing more.
            for step in _handed(entry) if span in doubles else _steps_of(entry):
                if entry["kind"] == "tool":
                    step = _of_its_own(step, entry, self._told_by_tools)
                yield step, entry


def _span(entry: Mapping[str, Any]) -> tuple[str, str]:
    return entry["trace_id"], entry["span_id"]


def _of_its_own(step: Step, entry: Mapping[str, Any], told: set[str]) -> Step:
    """Some emitters give an id of a tool call out twice: settling tells them apart."""
    if step.call_id in told:
        return replace(step, call_id=entry["span_id"])
    told.add(step.call_id)
    return step


def _steps_of(entry: Mapping[str, Any]) -> Iterator[Step]:
    if entry["kind"] == "tool":
        yield _tool(entry)
        return
    yield from _handed(entry)
    told = entry["fingerprints"]
    common = {"agent": entry["agent"], "time_ns": entry["start_us"] * 1000}
    if told.get(f"{FINGERPRINT}user_turn") in _TRUE:
        spoken = f"{entry['span_id']} user"
        yield Step(kind="user", call_id=spoken, text_hash=spoken, **common)
    status = _status(entry)
    if entry["error_type"] and not _is_retryable(entry, status):
        return  # No reply: the agent made no step by it.
    yield Step(
        kind="llm",
        name="llm",
        call_id=entry["span_id"],
        text_hash=told.get(f"{FINGERPRINT}text_hash", ""),
        text_norm_hash=told.get(f"{FINGERPRINT}text_norm_hash", ""),
        input_tokens=entry["input"],
        output_tokens=entry["output"],
        status=status,
        retryable=bool(entry["error_type"]),
        **common,
    )


def _tool(entry: Mapping[str, Any]) -> Step:
    """A tool's own span. Without fingerprints, what failed and how is all we know."""
    told = entry["fingerprints"]
    fields = _fields({f: told.get(f"{FINGERPRINT}{f}", "") for f in STEP_FIELDS})
    status = _status(entry)
    failure = entry["error_type"]
    if failure:
        fields["error"] = True
        if not fields.get("err_sig_hash"):
            fields["err_sig_hash"] = f"{entry['tool_name']} {failure}"
    return Step(
        kind="tool",
        name=entry["tool_name"],
        agent=entry["agent"],
        call_id=entry["tool_call_id"] or entry["span_id"],
        time_ns=entry["start_us"] * 1000,
        status=status,
        retryable=bool(failure) and _is_retryable(entry, status),
        **fields,
    )


def _handed(entry: Mapping[str, Any]) -> Iterator[Step]:
    """The tool results that a model call was newly handed."""
    told = _results(entry)
    for number, call_id in enumerate(told.get("call_id", [])):
        mine = {field: _at(values, number) for field, values in told.items()}
        if call_id:
            yield Step(
                kind="tool",
                name=mine.get("name", ""),
                agent=entry["agent"],
                call_id=call_id,
                time_ns=entry["start_us"] * 1000,
                **_fields({f: mine.get(f, "") for f in STEP_FIELDS}),
            )


def _results(entry: Mapping[str, Any]) -> dict[str, list[str]]:
    return {
        name.removeprefix(TOOL_RESULTS): value.split(",")
        for name, value in entry["fingerprints"].items()
        if name.startswith(TOOL_RESULTS)
    }


def _at(values: list[str], number: int) -> str:
    return values[number] if number < len(values) else ""


def _fields(told: Mapping[str, str]) -> dict[str, Any]:
    """Fields of a step from texts; what is not known, or is no number, is left out."""
    fields: dict[str, Any] = {}
    for name, text in told.items():
        if name in _NUMBERS:
            if text.isdecimal() and len(text) <= _MOST_DIGITS:
                fields[name] = int(text)
        elif name in _TRUTHS:
            if text:
                fields[name] = text in _TRUE
        elif text and not (name.endswith("simhash") and not _is_hex(text)):
            fields[name] = text
    return fields


def _is_hex(text: str) -> bool:
    try:
        int(text, 16)
    except ValueError:
        return False
    return True


def _is_richer(step: Step, old: Step) -> bool:
    return bool(step.result_hash and not old.result_hash)


def _merged(step: Step, old: Step) -> Step:
    """The fingerprints of one telling, with what only the other says."""
    told: dict[str, Any] = {name: getattr(step, name) for name in STEP_FIELDS}
    told["error"] = bool(old.error or step.error)
    return replace(old, **told, name=old.name or step.name)


def _status(entry: Mapping[str, Any]) -> int | None:
    """HTTP status of a failure: emitters put it in error.type, or beside it."""
    if not entry["error_type"]:
        return None
    beside = entry["fingerprints"].get("http.response.status_code", "")
    for text in (entry["error_type"], beside):
        if len(text) == 3 and text.isdecimal():
            return int(text)
    return None


def _is_retryable(entry: Mapping[str, Any], status: int | None) -> bool:
    if status is not None:
        return status in (408, 425, 429) or status >= 500
    name = entry["error_type"].lower()
    return any(word in name for word in _OVERLOAD)
