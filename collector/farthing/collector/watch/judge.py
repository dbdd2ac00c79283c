"""What is found in one run, from all that the ledger has of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from farthing.collector.watch.told import ToldStep, steps
from farthing.economics.loops import Baseline, Detector, Finding, Stall, Taken

_SPANS_SHOWN: Final = 12
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FEMTO: Final = 10**15
_TAGS: Final = (
    "task_type", "business_unit", "team", "user", "service", "environment",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A finding as it is in the table `findings`, whose columns these are."""

    run_id: str
    agent: str
    kind: str
    episode: int
    version: int
    level: str
    pattern: str
    period: int
    why: str
    ongoing: bool
    first_time: datetime
    at_time: datetime
    last_time: datetime
    first_trace_id: str
    first_span_id: str
    last_trace_id: str
    last_span_id: str
    span_ids: tuple[str, ...]
    steps: int
    calls: int
    tokens: int
    cost_usd: Decimal
    unpriced_calls: int
    task_type: str
    business_unit: str
    team: str
    user: str
    service: str
    environment: str

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What names a finding, whatever else is said of it."""
        return (self.run_id, self.agent, self.kind, self.episode)


COLUMNS: Final = tuple(field.name for field in fields(Found))


def judge(
    entries: Sequence[Mapping[str, Any]], *, baseline: Baseline | None = None
) -> list[Found]:
    """The findings in a run. `entries` are all that the ledger has of it, in the order
    in which they began; `baseline` is what it exceeds. Nothing else matters."""
    told = steps(entries)
    by_id = {each.step.call_id: each for each in told}
    return [
        _found(finding, entries, told, by_id)
        for finding in (*_repeating(told), *_stalling(told, entries, baseline))
    ]


def _repeating(told: Sequence[ToldStep]) -> list[Finding]:
    """Each episode as it was when it ended, or as it is."""
    detector = Detector()
    found: dict[tuple[str, str, int], Finding] = {}
    for each in told:
        for finding in detector.step(each.step):
            found[finding.kind, finding.agent, finding.episode] = finding
    for finding in detector.findings():
        found[finding.kind, finding.agent, finding.episode] = finding
    return list(found.values())


def _stalling(
    told: Sequence[ToldStep],
    entries: Sequence[Mapping[str, Any]],
    baseline: Baseline | None,
) -> Iterator[Finding]:
    if baseline is None:
        return
    stall = Stall(baseline)
    spent = iter(entries)
    calls = tokens = femto_usd = 0
    entry = next(spent, None)
    for each in told:
        while entry is not None and entry["start_us"] <= each.entry["start_us"]:
            tokens += entry["input"] + entry["output"]
            femto_usd += int(Decimal(entry["cost_usd"]) * _FEMTO)
            entry = next(spent, None)
        calls += each.step.kind == "tool"
        taken = Taken(calls=calls, tokens=tokens, cost_femto_usd=femto_usd)
        if finding := stall.step(each.step, taken):
            yield finding


def _found(
    finding: Finding,
    entries: Sequence[Mapping[str, Any]],
    told: Sequence[ToldStep],
    by_id: Mapping[str, ToldStep],
) -> Found:
    first, last = by_id[finding.first.call_id], by_id[finding.last.call_id]
    began_us, until_us = first.entry["start_us"], last.entry["start_us"]
    own = [e for e in entries if not finding.agent or e["agent"] == finding.agent]
    since = [
        entry
        for entry in own
        if entry["kind"] == "model_call"
        and entry["start_us"] >= began_us
        and (finding.ongoing or entry["start_us"] <= until_us)
    ]
    return Found(
        run_id=first.entry["run_id"],
        agent=finding.agent,
        kind=finding.kind,
        episode=finding.episode,
        version=len(entries),
        level=finding.level,
        pattern=finding.pattern,
        period=finding.period,
        why=finding.why,
        ongoing=finding.ongoing,
        first_time=_time(began_us),
        at_time=_time(by_id[finding.at.call_id].entry["start_us"]),
        last_time=_time(until_us),
        first_trace_id=first.entry["trace_id"],
        first_span_id=first.entry["span_id"],
        last_trace_id=last.entry["trace_id"],
        last_span_id=last.entry["span_id"],
        span_ids=_spans(finding, told, began_us, until_us),
        steps=finding.calls,
        calls=sum(entry["calls"] for entry in since),
        tokens=sum(entry["input"] + entry["output"] for entry in since),
        cost_usd=sum((Decimal(entry["cost_usd"]) for entry in since), Decimal(0)),
        unpriced_calls=sum(e["calls"] for e in since if e["is_unpriced"]),
        **{tag: _last_told(own, tag) for tag in _TAGS},
    )


def _spans(
    finding: Finding, told: Sequence[ToldStep], began_us: int, until_us: int
) -> tuple[str, ...]:
    """The newest spans of a finding."""
    own = [
        each.entry["span_id"]
        for each in told
        if each.step.agent == finding.agent
        and each.step.kind != "user"
        and began_us <= each.entry["start_us"] <= until_us
    ]
    return tuple(dict.fromkeys(own[-_SPANS_SHOWN:]))


def _last_told(entries: Sequence[Mapping[str, Any]], tag: str) -> str:
    return next((e[tag] for e in reversed(entries) if e[tag]), "")


def _time(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)
