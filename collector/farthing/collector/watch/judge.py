"""What is found in one run, from all that the ledger has of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from sys import intern
from typing import Any, Final

from farthing.collector.watch.told import Telling, ToldStep, steps
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """What a judgement goes on to need of an entry."""

    run_id: str
    start_us: int
    trace_id: str
    span_id: str
    agent: str
    kind: str
    calls: int
    tokens: int
    cost_usd: Decimal
    is_unpriced: bool
    tags: tuple[str, ...]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> _Entry:
        """From a row of sql/entries.sql. Texts that recur are held once."""
        return cls(
            run_id=intern(row["run_id"]),
            start_us=row["start_us"],
            trace_id=intern(row["trace_id"]),
            span_id=row["span_id"],
            agent=intern(row["agent"]),
            kind=intern(row["kind"]),
            calls=row["calls"],
            tokens=row["input"] + row["output"],
            cost_usd=Decimal(row["cost_usd"]),
            is_unpriced=bool(row["is_unpriced"]),
            tags=tuple(intern(row[tag]) for tag in _TAGS),
        )


@dataclass(frozen=True, slots=True)
class _Told:
    """A step as far as a finding shows it."""

    call_id: str
    agent: str
    kind: str
    entry: _Entry


class Judgement:
    """A run as it is judged, part by part. What is found in it is the same however it
    is parted: `judge` takes all at once."""

    def __init__(self) -> None:
        self._telling = Telling()
        self._detector = Detector()
        self._episodes: dict[tuple[str, str, int], Finding] = {}
        self._entries: list[_Entry] = []
        self._told: list[_Told] = []

    def __len__(self) -> int:
        """How many entries were taken."""
        return len(self._entries)

    @property
    def last_us(self) -> int:
        """When the newest of them began."""
        return self._entries[-1].start_us

    def take(self, rows: Sequence[Mapping[str, Any]]) -> bool:
        """Go on with entries in the order in which they began. False where they do not
        follow what was taken, or change it: the run must be judged anew then."""
        if rows and self._entries and rows[0]["start_us"] <= self.last_us:
            return False
        told = self._telling.take(rows)
        if told is None:
            return False
        entries = {id(row): _Entry.of(row) for row in rows}
        self._entries += entries.values()
        for each in told:
            step = each.step
            of_step = _Told(
                step.call_id, step.agent, step.kind, entries[id(each.entry)]
            )
            self._told.append(of_step)
            for finding in self._detector.step(step):
                self._episodes[finding.kind, finding.agent, finding.episode] = finding
        return True

    def found(self, stalls: Iterable[Finding] = ()) -> list[Found]:
        """Each episode as it was when it ended, or as it is; and `stalls`."""
        episodes = dict(self._episodes)
        for finding in self._detector.findings():
            episodes[finding.kind, finding.agent, finding.episode] = finding
        found = [*episodes.values(), *stalls]
        if not found:
            return []
        by_id = {each.call_id: each.entry for each in self._told}
        return [_found(each, self._entries, self._told, by_id) for each in found]


def judge(
    entries: Sequence[Mapping[str, Any]], *, baseline: Baseline | None = None
) -> list[Found]:
    """The findings in a run. `entries` are all that the ledger has of it, in the order
    in which they began; `baseline` is what it exceeds. Nothing else matters."""
    judgement = Judgement()
    judgement.take(entries)
    return judgement.found(_stalling(steps(entries), entries, baseline))


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
    entries: Sequence[_Entry],
    told: Sequence[_Told],
    by_id: Mapping[str, _Entry],
) -> Found:
    first, last = by_id[finding.first.call_id], by_id[finding.last.call_id]
    own = [e for e in entries if not finding.agent or e.agent == finding.agent]
    since = [
        entry
        for entry in own
        if entry.kind == "model_call"
        and entry.start_us >= first.start_us
        and (finding.ongoing or entry.start_us <= last.start_us)
    ]
    return Found(
        run_id=first.run_id,
        agent=finding.agent,
        kind=finding.kind,
        episode=finding.episode,
        version=len(entries),
        level=finding.level,
        pattern=finding.pattern,
        period=finding.period,
        why=finding.why,
        ongoing=finding.ongoing,
        first_time=_time(first.start_us),
        at_time=_time(by_id[finding.at.call_id].start_us),
        last_time=_time(last.start_us),
        first_trace_id=first.trace_id,
        first_span_id=first.span_id,
        last_trace_id=last.trace_id,
        last_span_id=last.span_id,
        span_ids=_spans(finding, told, first.start_us, last.start_us),
        steps=finding.calls,
        calls=sum(entry.calls for entry in since),
        tokens=sum(entry.tokens for entry in since),
        cost_usd=sum((entry.cost_usd for entry in since), Decimal(0)),
        unpriced_calls=sum(entry.calls for entry in since if entry.is_unpriced),
        **{tag: _last_told(own, at) for at, tag in enumerate(_TAGS)},
    )


def _spans(
    finding: Finding, told: Sequence[_Told], began_us: int, until_us: int
) -> tuple[str, ...]:
    """The newest spans of a finding."""
    own = [
        each.entry.span_id
        for each in told
        if each.agent == finding.agent
        and each.kind != "user"
        and began_us <= each.entry.start_us <= until_us
    ]
    return tuple(dict.fromkeys(own[-_SPANS_SHOWN:]))


def _last_told(entries: Sequence[_Entry], tag: int) -> str:
    return next((e.tags[tag] for e in reversed(entries) if e.tags[tag]), "")


def _time(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)
