"""The judgements of runs that may be stuck, kept so that only what is new is read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from types import MappingProxyType
from typing import Final

from farthing.collector.store.finding import COLUMNS, StoredFinding
from farthing.collector.watch.entry import Entry
from farthing.collector.watch.judge import LONG_RUN, Judgement, Key
from farthing.collector.watch.read import Reader
from farthing.economics.loops import Baseline

_ENTRIES_MOST: Final = 40_000
"""About 80 MB; of older runs all is read again."""
_AT_ANY_TIME: Final = 500
"""Entries of a run that is judged anew whenever something comes late: 15 ms. A longer
one is once it has doubled, or is quiet, so that no span is read often."""
_GROWN: Final = 2
_RECALLED: Final = 500
"""Entries of a long run that are read to go on with it."""

_SAID: Final = attrgetter(*(column for column in COLUMNS if column != "version"))

Findings = dict[tuple[str, str, str, int], StoredFinding]


@dataclass(slots=True)
class Case:
    """A run that is watched closely: how it is judged, how many of its spans that
    judgement knows, and what is written of it and may still change. `whole` is how many
    entries it was judged by whole, `is_late` whether others came late since,
    `is_unwritten` whether what was found could not be written."""

    run_id: str
    judgement: Judgement
    spans: int
    written: Findings = field(default_factory=dict)
    doubt: int | None = None
    whole: int = 0
    is_late: bool = False
    is_unwritten: bool = False

    def goes_on(self, baseline: Baseline | None) -> bool:
        """Whether it may go on, now that the run exceeds this. A long run has no
        baseline: it is not judged anew for one."""
        is_same = self.judgement.is_long or self.judgement.baseline == baseline
        return is_same and not self.is_unwritten

    def is_other(self, spans: int) -> bool:
        """Whether there is more to judge where the ledger has so many spans of it."""
        if self.judgement.is_long:
            return self.judgement.holds
        return self.is_late or self.is_unwritten or spans != self.spans

    def take(self, entries: Sequence[Entry]) -> bool:
        """Go on with entries; False where the run must be judged anew, now."""
        if not self.is_late and self.judgement.take(entries):
            return True
        number = self.judgement.entries + len(entries)
        if number <= _AT_ANY_TIME or number >= _GROWN * self.whole:
            return False
        self.is_late = True
        return self.judgement.take(entries, as_they_come=True)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be written of a run, and what was there before."""

    run_id: str
    new: list[StoredFinding]
    before: Findings
    has_findings: bool


class Judgements:
    """Judges runs by what the ledger has of them: whole, or from where it left off.

    What is kept changes what must be read, never what is found: a run goes on only if
    the entries of its batches follow those that were taken, and is judged whole
    otherwise.
    """

    def __init__(self, reader: Reader, *, entries_most: int = _ENTRIES_MOST) -> None:
        self._reader = reader
        self._kept: OrderedDict[str, Case] = OrderedDict()
        self._entries = 0
        self._entries_most = entries_most

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._kept

    def go_on(
        self,
        batch_names: Sequence[str],
        spans: Mapping[str, int],
        baselines: Mapping[str, Baseline | None],
        sizes: Mapping[str, int] = MappingProxyType({}),
        since_s: Mapping[str, int] = MappingProxyType({}),
    ) -> Iterator[Verdict]:
        """Judge runs of which batches brought so many spans, each with the baseline
        that it exceeds, if it does. `sizes`: how many spans the ledger has of them, as
        far as that was asked already; `since_s`: since when they were loaded, where
        that is known."""
        cases = {
            run_id: case
            for run_id, number in spans.items()
            if (case := self._forget(run_id))
            and case.goes_on(baselines[run_id])
            and number <= LONG_RUN
        }
        for case in cases.values():
            case.spans += spans[case.run_id]
        anew = {run_id: baselines[run_id] for run_id in spans if run_id not in cases}
        brought = {run_id: spans[run_id] for run_id in cases}
        asked = self._reader.sizes(run_id for run_id in anew if run_id not in sizes)
        sizes = {**sizes, **asked}
        late = yield from self._judge(
            anew,
            sizes,
            cases,
            brought=brought,
            batch_names=batch_names,
            since_s=since_s,
        )
        if late:
            anew = {run_id: baselines[run_id] for run_id in late}
            sizes = self._reader.sizes(anew)
            yield from self._judge(anew, sizes, since_s=since_s)

    def doubtful(self, runs: Iterable[str]) -> set[str]:
        """Those of these runs of which another look may find that they have changed."""
        cases = [case for run_id in runs if (case := self._kept.get(run_id))]
        return {case.run_id for case in cases if case.doubt is not None}

    def doubt(self, runs: Iterable[str]) -> Iterator[Verdict]:
        """Judge those of these runs anew to which nothing came since this was asked
        last, and of which something came late or the ledger has other spans than were
        judged: another collector loaded them. What is loaded and not yet watched looks
        the same, once. Of long runs, calls are judged that waited for more."""
        cases = [case for run_id in runs if (case := self._kept.get(run_id))]
        sizes = self._reader.sizes([case.run_id for case in cases])
        anew = {}
        for case in cases:
            is_other = case.is_other(sizes.get(case.run_id, case.spans))
            is_due = is_other and case.doubt == case.spans
            case.doubt = case.spans if is_other else None
            if is_due and case.judgement.is_long:
                case.judgement.release()
                self._keep(case)
                yield _verdict(case, case.judgement.news())
            elif is_due:
                anew[case.run_id] = case.judgement.baseline
        yield from self._judge(anew, sizes)

    def not_written(self, runs: Iterable[str]) -> None:
        """What was found in these runs may not have been written: judge them anew, by
        what the ledger has, when they are next asked for."""
        for run_id in runs:
            case = self._forget(run_id)
            if case is not None and not case.judgement.is_long:
                case.is_unwritten, case.doubt = True, case.spans
                self._keep(case)

    def _judge(
        self,
        anew: Mapping[str, Baseline | None],
        sizes: Mapping[str, int],
        cases: Mapping[str, Case] | None = None,
        *,
        brought: Mapping[str, int] | None = None,
        batch_names: Sequence[str] = (),
        since_s: Mapping[str, int] = MappingProxyType({}),
    ) -> Generator[Verdict, None, list[str]]:
        """Judge runs from their first entries, but for long ones; and `cases` by what
        batches brought. Returns those of the latter that must be judged anew. `sizes`
        were asked first: what comes in between is then doubted, not overlooked."""
        sizes = {run_id: sizes[run_id] for run_id in anew if run_id in sizes}
        stored = self._reader.stored(anew)
        for run_id, size in sizes.items():
            if size > LONG_RUN:
                yield self._long(run_id, size, stored.get(run_id, {}))
        short = {r: size for r, size in sizes.items() if size <= LONG_RUN}
        known, late = dict(cases or {}), []
        read = self._reader.entries(
            short, brought, batches=batch_names, since_s=since_s
        )
        for run_id, entries in read:
            if case := known.pop(run_id, None):
                if case.take(entries):
                    self._keep(case)
                    yield _verdict(case, case.judgement.news())
                else:
                    late.append(run_id)
            else:
                judgement = Judgement(baseline=anew[run_id])
                judgement.take(entries)
                case = Case(run_id, judgement, short[run_id], stored.get(run_id, {}))
                case.whole = len(entries)
                self._keep(case)
                yield _whole_verdict(case, judgement.news())
        for case in known.values():  # What came is no step of theirs.
            self._keep(case)
        return late

    def _long(self, run_id: str, size: int, written: Findings) -> Verdict:
        """Go on with a long run after what was found in it last: what went on then is
        ended, what still goes on is an episode of its own."""
        entries = self._reader.newest(run_id, _RECALLED)
        known_us = max((_last_us(found) for found in written.values()), default=0)
        new = [entry for entry in entries if entry.at_us > known_us]
        judgement = Judgement(
            earlier=max(size - len(new), LONG_RUN), episodes=_numbers(written)
        )
        judgement.pass_over(entry for entry in entries if entry.at_us <= known_us)
        judgement.take(new)
        case = Case(run_id, judgement, size, written)
        self._keep(case)
        ended = [
            replace(found, ongoing=False, version=found.version + 1)
            for found in written.values()
            if found.ongoing
        ]
        return _verdict(case, [*ended, *judgement.news()])

    def _keep(self, case: Case) -> None:
        self._forget(case.run_id)
        self._kept[case.run_id] = case
        self._entries += len(case.judgement)
        while self._entries > self._entries_most and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._entries -= len(oldest.judgement)

    def _forget(self, run_id: str) -> Case | None:
        case = self._kept.pop(run_id, None)
        self._entries -= len(case.judgement) if case else 0
        return case


def _whole_verdict(case: Case, found: list[StoredFinding]) -> Verdict:
    """The same of a run that was judged whole: what is not found now is withdrawn."""
    now = {each.key for each in found}
    least = max((each.version for each in found), default=0)
    gone = [
        replace(
            known,
            level="withdrawn",
            ongoing=False,
            version=max(known.version + 1, least),
        )
        for key, known in sorted(case.written.items())
        if key not in now
    ]
    return _verdict(case, [*found, *gone])


def _verdict(case: Case, found: Sequence[StoredFinding]) -> Verdict:
    """What differs from what is written; from then on that is written."""
    new = [each for each in found if not _says_the_same(each, case.written)]
    before = {
        each.key: case.written[each.key] for each in new if each.key in case.written
    }
    case.written = {each.key: each for each in found if each.ongoing}
    return Verdict(case.run_id, new, before, has_findings=bool(found))


def _says_the_same(found: StoredFinding, written: Findings) -> bool:
    known = written.get(found.key)
    return known is not None and _SAID(known) == _SAID(found)


def _numbers(written: Findings) -> dict[Key, int]:
    numbers: dict[Key, int] = {}
    for found in written.values():
        key = (found.kind, found.agent)
        numbers[key] = max(numbers.get(key, 0), found.episode)
    return numbers


def _last_us(found: StoredFinding) -> int:
    return int(found.last_time.timestamp() * 1_000_000)
