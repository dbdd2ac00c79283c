"""What is found in one run, from what the ledger has of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from operator import attrgetter
from typing import Final

from farthing.collector.store.finding import StoredFinding
from farthing.collector.watch.accounts import Accounts, Moment
from farthing.collector.watch.entry import TAGS, Entry
from farthing.collector.watch.told import Telling, newest
from farthing.economics.loops import Baseline, Detector, Finding, Stall, Step, Taken
from farthing.semconv import STEP_FIELDS

LONG_RUN: Final = 2_000
"""Entries of a run that are ever read again. What is longer is judged by what comes
next, in the order in which it comes."""
_SPANS_SHOWN: Final = 12
_SPANS_KEPT: Final = 64
_PLACES_KEPT: Final = 1_024
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FEMTO: Final = 10**15
_LONG_AGO_US: Final = -(1 << 63)
_FINGERPRINTS: Final = attrgetter(*STEP_FIELDS)
_NO_MORE: Final[tuple[Step | None, Entry | None]] = (None, None)

Identity = tuple[str, str, str, bool, int, str, int, int, int, str]
"""What tells an entry from all others of its run: a span that is sent again comes with
another batch."""
Key = tuple[str, str]
"""Kind and agent, within which episodes are numbered."""
_Place = tuple[Entry, Moment]
"""Where a step was told."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A finding, and what was known of its agent when it was made."""

    finding: Finding
    first: _Place
    last: _Place
    tags: list[str]
    span_ids: tuple[str, ...]


class Judgement:
    """A run as it is judged, part by part, in memory and time that do not grow with it,
    but for the names of its agents: of each, sums and the newest spans are kept.

    What is found is the same however the run is parted. `baseline` is what it exceeds,
    if anything. Where a long run is gone on with, `earlier` is how many entries were
    left out, and `episodes` the last number of each kind and agent in them.
    """

    def __init__(
        self,
        *,
        baseline: Baseline | None = None,
        earlier: int = 0,
        episodes: Mapping[Key, int] | None = None,
    ) -> None:
        self.baseline = baseline
        self._entries = earlier
        self._taken_last: dict[Identity, None] = {}
        self._taken_since: list[Entry] = []
        self._held: Sequence[Entry] = ()
        self._episodes = episodes or {}
        self._last_us = _LONG_AGO_US
        self._telling = Telling(most=LONG_RUN)
        self._detector = Detector()
        self._stall = None if baseline is None else Stall(baseline)
        self._accounts = Accounts(of_run=baseline is not None)
        self._places: dict[str, _Place] = {}
        self._newest: dict[str, deque[Entry]] = {}
        self._calls = 0
        self._agent_calls = 0
        self._ended: list[_Known] = []
        self._stalled: _Known | None = None

    def __len__(self) -> int:
        """How many entries are remembered in some way."""
        return len(self._telling)

    @property
    def entries(self) -> int:
        """How many were taken."""
        return self._entries

    @property
    def is_long(self) -> bool:
        """Whether it is too long to be judged anew."""
        return self._entries > LONG_RUN

    def take(self, entries: Sequence[Entry], *, as_they_come: bool = False) -> bool:
        """Go on with entries in their order. False where they do not follow what was
        taken, or change it: the run must be judged anew then. A long run is not, nor
        one that is taken `as_they_come`: what is late is taken as if it were not, what
        was taken lately is passed over, and calls of tools at the end of a long run
        that may still be told better wait for what comes next."""
        as_they_come = as_they_come or self.is_long
        if as_they_come:
            self._identify()
            new = [e for e in entries if _identity(e) not in self._taken_last]
            number = len(new) - (_bare_at_end(new) if self.is_long else 0)
            entries, self._held = [*self._held, *new[:number]], new[number:]
            self.pass_over(self._held)
        is_after = not entries or entries[0].at_us > self._last_us
        if not (is_after or as_they_come):
            return False
        return self._go_on(entries, as_they_come=as_they_come)

    @property
    def holds(self) -> bool:
        """Whether calls wait for what comes next."""
        return bool(self._held)

    def release(self) -> None:
        """Nothing came next: judge the calls that wait for it as they are."""
        held, self._held = self._held, ()
        self._go_on(held, as_they_come=True)

    def _go_on(self, entries: Sequence[Entry], *, as_they_come: bool) -> bool:
        if not entries:
            return True
        told = self._telling.take(entries, as_they_come=as_they_come)
        if told is None:
            return False
        steps = iter(told)
        step, teller = next(steps, _NO_MORE)
        for entry in entries:
            moment = self._accounts.enter(entry)
            if entry.kind == "agent" and not entry.is_correction:
                self._asked(entry)
            while step is not None and teller is entry:
                self._step(step, (entry, moment))
                step, teller = next(steps, _NO_MORE)
        self.pass_over(entries)
        self._entries += len(entries)
        self._last_us = max(self._last_us, entries[-1].at_us)
        self._forget_places()
        return True

    def pass_over(self, entries: Iterable[Entry]) -> None:
        """Take these for taken, where they come again."""
        self._taken_since += entries
        if len(self._taken_since) > _PLACES_KEPT:
            self._identify()

    def _identify(self) -> None:
        """Note what was taken: not before somebody asks, which few runs need."""
        self._taken_last.update((_identity(entry), None) for entry in self._taken_since)
        self._taken_since.clear()
        if len(self._taken_last) > 2 * LONG_RUN:
            self._taken_last = newest(self._taken_last, LONG_RUN)

    def news(self) -> list[StoredFinding]:
        """Each episode that ended since this was asked last, as it was; each that goes
        on, as it is."""
        known = [*self._ended, *map(self._known, self._detector.findings())]
        if self._stalled is not None:
            known.append(replace(self._stalled, tags=self._accounts.tags(None)))
        self._ended = []
        return [self._stored(each) for each in known]

    def _step(self, step: Step, place: _Place) -> None:
        self._places.setdefault(step.call_id, place)
        self._calls += step.kind == "tool"
        if step.kind != "user":
            newest = self._newest.get(step.agent)
            if newest is None:
                newest = self._newest[step.agent] = deque(maxlen=_SPANS_KEPT)
            newest.append(place[0])
        for finding in self._detector.step(step):
            if not finding.ongoing:
                self._ended.append(self._known(finding))
        if self._stall is not None and self._stalled is None:
            self._stall_at(self._stall.step(step, self._taken()), place[0])

    def _asked(self, entry: Entry) -> None:
        """An agent was called, and has answered."""
        self._agent_calls += 1
        if self._stall is not None and self._stalled is None:
            time_ns = entry.at_us * 1000
            found = self._stall.asked(
                entry.agent, self._taken(), call_id=entry.span_id, time_ns=time_ns
            )
            self._stall_at(found, entry)

    def _taken(self) -> Taken:
        spent = self._accounts.now(None).by
        return Taken(
            calls=self._calls,
            tokens=spent.tokens,
            agent_calls=self._agent_calls,
            cost_femto_usd=int(spent.cost_usd * _FEMTO),
        )

    def _stall_at(self, finding: Finding | None, entry: Entry) -> None:
        if finding is not None:
            here = (entry, self._accounts.now(None))
            self._stalled = _Known(finding, here, here, [], ())

    def _known(self, finding: Finding) -> _Known:
        first = self._places[finding.first.call_id]
        last = self._places[finding.last.call_id]
        tags = self._accounts.tags(finding.agent)
        return _Known(finding, first, last, tags, self._spans(finding, first, last))

    def _spans(self, finding: Finding, first: _Place, last: _Place) -> tuple[str, ...]:
        """The newest spans of a finding."""
        newest = self._newest.get(finding.agent, ())
        began_us, until_us = first[0].at_us, last[0].at_us
        own = [e.span_id for e in newest if began_us <= e.at_us <= until_us]
        return tuple(dict.fromkeys(own[-_SPANS_SHOWN:]))

    def _stored(self, known: _Known) -> StoredFinding:
        finding = known.finding
        (first, began), (last, ended) = known.first, known.last
        by = ended.by
        if finding.ongoing:
            whose = None if finding.kind == "stalled" else finding.agent
            by = self._accounts.now(whose).by
        spent = by.since(began.before)
        earlier = self._episodes.get((finding.kind, finding.agent), 0)
        return StoredFinding(
            run_id=first.run_id,
            agent=finding.agent,
            kind=finding.kind,
            episode=earlier + finding.episode,
            version=self._entries,
            level=finding.level,
            pattern=finding.pattern,
            period=finding.period,
            why=finding.why,
            ongoing=finding.ongoing,
            first_time=_time(first.at_us),
            at_time=_time((finding.at.time_ns or 0) // 1000),
            last_time=_time(last.at_us),
            first_trace_id=first.trace_id,
            first_span_id=first.span_id,
            last_trace_id=last.trace_id,
            last_span_id=last.span_id,
            span_ids=known.span_ids,
            steps=finding.calls,
            calls=spent.calls,
            tokens=spent.tokens,
            cost_usd=spent.cost_usd,
            unpriced_calls=spent.unpriced_calls,
            **dict(zip(TAGS, known.tags, strict=True)),
        )

    def _forget_places(self) -> None:
        """Keep those that findings may still name."""
        if len(self._places) > 2 * _PLACES_KEPT:
            held = {mark.call_id for mark in self._detector.marks()}
            self._places = {c: p for c, p in self._places.items() if c in held}


def judge(
    entries: Sequence[Entry], *, baseline: Baseline | None = None
) -> list[StoredFinding]:
    """The findings in a run. `entries` are all that the ledger has of it, in their
    order; `baseline` is what it exceeds. Nothing else matters."""
    judgement = Judgement(baseline=baseline)
    judgement.take(entries)
    return judgement.news()


def _bare_at_end(entries: Sequence[Entry]) -> int:
    """How many calls of tools, last of all, are told without fingerprints: the model
    call that is handed their results may come in the next batch."""
    last = takewhile(_is_bare, reversed(entries))
    return sum(1 for _ in last)


def _is_bare(entry: Entry) -> bool:
    is_call = entry.kind == "tool" and not entry.is_correction
    return is_call and not any(_FINGERPRINTS(entry)) and not entry.error_type


def _identity(entry: Entry) -> Identity:
    """Corrections have the ids of the span that they correct, and other figures."""
    span = (entry.trace_id, entry.span_id, entry.is_correction, entry.at_us, entry.kind)
    return entry.load, *span, entry.calls, entry.input, entry.output, entry.cost_usd


def _time(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)
