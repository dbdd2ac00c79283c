"""What rules would have said of the past: how often, how long, how often again.

A rule with a `history` query is followed reading by reading; any other is asked at the
moments of a grid: of many with one query where it takes `moments`. Silences, storms and
inhibition are left out: this is about rules.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, Final

from farthing.alerts.evaluate import Ask, is_idle, prepared, takes_moments
from farthing.alerts.incident import Incident, resolved, step
from farthing.alerts.reading import Reading, reading
from farthing.alerts.rule import Rule
from farthing.alerts.unheard import WHY, Unheard

_AT_ONCE: Final = 2
_AT_A_TIME: Final = 168
"""Moments of one query: a week of hours keeps it within its limits."""
_AGAIN: Final = timedelta(hours=1)
_WHEN: Final = "%Y-%m-%d %H:%M:%S.%f"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule would have said from `since` to `until`.

    `escalations` counts levels above the first; `flaps` the incidents that opened
    within an hour after one of the same subject had ended.
    """

    rule: str
    since: datetime
    until: datetime
    incidents: tuple[Incident, ...]

    @property
    def fired(self) -> int:
        return len(self.incidents)

    @property
    def subjects(self) -> int:
        return len({incident.subject for incident in self.incidents})

    @property
    def escalations(self) -> int:
        return sum(incident.level for incident in self.incidents)

    @property
    def flaps(self) -> int:
        ended: dict[str, datetime] = {}
        count = 0
        for incident in sorted(self.incidents, key=lambda i: i.opened_at):
            last = ended.get(incident.subject)
            count += last is not None and incident.opened_at - last < _AGAIN
            ended[incident.subject] = incident.resolved_at or self.until
        return count

    @property
    def median_s(self) -> float | None:
        """Seconds that half of the incidents did not outlast; None without any."""
        times = [
            (
                (i.resolved_at or self.until) - (i.fired_at or i.opened_at)
            ).total_seconds()
            for i in self.incidents
        ]
        return median(times) if times else None

    @property
    def by_severity(self) -> dict[str, int]:
        return dict(Counter(incident.severity for incident in self.incidents))

    @property
    def per_day(self) -> float:
        days = (self.until - self.since).total_seconds() / 86_400
        return self.fired / days if days else 0.0


def can_backtest(rule: Rule) -> bool:
    """Whether the ledger knows what the rule is about."""
    return rule.source == "ledger"


def backtest(
    rule: Rule,
    ask: Ask,
    *,
    since: datetime,
    until: datetime,
    given: Callable[[datetime], Mapping[str, Any]],
) -> Outcome:
    """Follow a rule through a range of time; errors are those of its queries."""
    opened: dict[str, Incident] = {}
    fired: dict[str, Incident] = {}
    if is_idle(rule, given(until)):
        return Outcome(rule.name, since, until, ())
    if rule.history_sql:
        values = {**_values(rule, until, given), "since": since.strftime(_WHEN)}
        for row in ask(*prepared(rule.history_sql, values)):
            at = row["at"].replace(tzinfo=UTC)
            _follow(opened, fired, [reading(rule, row)], rule=rule, now=at)
        return Outcome(rule.name, since, until, tuple(fired.values()))
    unheard = Unheard()
    moments = list(_moments(since, until, rule))
    for at, found in _grid(rule, ask, moments, opened=opened, given=given):
        _follow(opened, fired, found, rule=rule, now=at)
        told = {each.subject for each in found}
        silent = [i for i in opened.values() if i.subject not in told]
        for gone in unheard.noted(rule, silent, at):
            del opened[gone.subject]
            if gone.fired_at is not None:
                fired[gone.id] = resolved(gone, WHY, now=at)
    return Outcome(rule.name, since, until, tuple(fired.values()))


def backtests(
    rules: Iterable[Rule],
    ask: Ask,
    *,
    since: datetime,
    until: datetime,
    given: Callable[[datetime], Mapping[str, Any]],
) -> Iterator[Outcome]:
    """Several rules, two at once: what takes time is the engine's."""

    def one(rule: Rule) -> Outcome:
        return backtest(rule, ask, since=since, until=until, given=given)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(one, rules)


def _grid(
    rule: Rule,
    ask: Ask,
    moments: Sequence[datetime],
    *,
    opened: Mapping[str, Incident],
    given: Callable[[datetime], Mapping[str, Any]],
) -> Iterator[tuple[datetime, list[Reading]]]:
    """What a rule says at each of these moments; `opened` is what is open by then."""
    if not takes_moments(rule.sql):
        for at in moments:
            yield at, _asked(rule, ask, at, opened=opened, given=given)
        return
    for first in range(0, len(moments), _AT_A_TIME):
        some = moments[first : first + _AT_A_TIME]
        found: dict[datetime, list[Reading]] = {at: [] for at in some}
        for at, each in _asked_of(rule, ask, some, opened=opened, given=given):
            found.setdefault(at, []).append(each)
        yield from found.items()


def _follow(
    opened: dict[str, Incident],
    fired: dict[str, Incident],
    readings: Iterable[Reading],
    *,
    rule: Rule,
    now: datetime,
) -> None:
    for each in readings:
        before = opened.pop(each.subject, None)
        after = step(before, each, rule=rule, now=now)
        if after is None:
            continue
        if after.is_open:
            opened[each.subject] = after
        if after.fired_at is not None:
            fired[after.id] = after


def _asked(
    rule: Rule,
    ask: Ask,
    now: datetime,
    *,
    opened: Mapping[str, Incident],
    given: Callable[[datetime], Mapping[str, Any]],
) -> list[Reading]:
    values = _values(rule, now, given) | {"open": sorted(opened)}
    if rule.baseline_sql:
        rows = ask(*prepared(rule.baseline_sql, values))
        values["baseline"] = json.dumps([dict(row) for row in rows], default=str)
    return [reading(rule, row) for row in ask(*prepared(rule.sql, values))]


def _asked_of(
    rule: Rule,
    ask: Ask,
    moments: Sequence[datetime],
    *,
    opened: Mapping[str, Incident],
    given: Callable[[datetime], Mapping[str, Any]],
) -> Iterator[tuple[datetime, Reading]]:
    """Readings of many moments, in their order. Whoever is wrong at one of them is then
    asked for at each: when it was right again is known from that."""
    values = _values(rule, moments[-1], given)
    values["moments"] = [at.astimezone(UTC).strftime(_WHEN) for at in moments]

    def rows(subjects: Set[str]) -> Sequence[Mapping[str, Any]]:
        return ask(*prepared(rule.sql, values | {"open": sorted(subjects)}))

    found = rows(opened.keys())
    subjects = {str(row["subject"]) for row in found}
    if subjects - opened.keys():
        found = rows(subjects | opened.keys())
    for row in found:
        yield row["at"].replace(tzinfo=UTC), reading(rule, row)


def _values(
    rule: Rule, now: datetime, given: Callable[[datetime], Mapping[str, Any]]
) -> dict[str, Any]:
    parameters = {
        name: value if isinstance(value, int | str) else format(value, "f")
        for name, value in rule.parameters.items()
    }
    return {**parameters, **given(now), "now": now.astimezone(UTC).strftime(_WHEN)}


def _moments(since: datetime, until: datetime, rule: Rule) -> Iterator[datetime]:
    """Just before full hours, when the hour is whole; rarer for slower rules."""
    pause = timedelta(seconds=rule.backtest_every)
    hour = since.replace(minute=0, second=0, microsecond=0)
    at = hour + pause - timedelta(seconds=1)
    while at <= until:
        yield at
        at += pause
