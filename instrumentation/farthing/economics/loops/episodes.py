"""From a score to episodes: suspected, confirmed, ended, and armed again."""

from __future__ import annotations

from dataclasses import dataclass, field

from farthing.economics.loops.findings import Finding, Kind, Level, Mark, Pattern
from farthing.economics.loops.memory import Repeat
from farthing.economics.loops.steps import Step
from farthing.economics.loops.tuning import Tuning
from farthing.economics.loops.wording import why

_NAMES_MOST = 3
_STEADY = 2


@dataclass(slots=True)
class _Episode:
    """What is under way: from the first repetition, before it amounts to anything."""

    first: Mark
    last: Mark
    at: Mark
    from_call: int
    to_call: int
    level: Level | None = None
    weights: dict[Pattern, float] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    distance: int = 0
    steady: int = 0


class Episodes:
    """The episodes of one kind and one agent, one at a time."""

    def __init__(self, kind: Kind, agent: str, tuning: Tuning) -> None:
        self.score = 0.0
        self._kind: Kind = kind
        self._agent = agent
        self._tuning = tuning
        self._number = 0
        self._now: _Episode | None = None

    def heat(
        self, repeat: Repeat, step: Step, mark: Mark, *, call: int
    ) -> list[Finding]:
        """Count a repetition, the `call`th call; a finding if that raises it."""
        tuning = self._tuning
        score = self.score + repeat.weight
        if repeat.count == 1:
            score = max(self.score, min(score, tuning.first_repeats_reach))
        self.score = min(score, tuning.highest)
        if self._now is None:
            self._now = _Episode(mark, mark, mark, call, call)
        _extend(self._now, repeat, step.name)
        self._now.last, self._now.to_call = mark, call
        return self._raised(self._now, mark)

    def cool(self, by: float) -> list[Finding]:
        """Count something new; a finding if that ends the episode."""
        if self._now is None:
            return []
        self.score = max(0.0, self.score - by)
        least = self._tuning.ended if self._now.level else 0.0
        return [] if self.score > least else self.end()

    def end(self) -> list[Finding]:
        """End the episode under way; what it was, if it was anything."""
        found = self.findings(ongoing=False)
        self.score, self._now = 0.0, None
        return found

    def findings(self, *, ongoing: bool = True) -> list[Finding]:
        """The episode as it is now; nothing before it is suspected."""
        now = self._now
        if now is None or now.level is None:
            return []
        period = now.distance if now.steady >= _STEADY else 0
        pattern = max(now.weights, key=now.weights.__getitem__)
        if pattern == "repeat" and period > 1:
            pattern = "cycle"
        calls = now.to_call - now.from_call + 1
        return [
            Finding(
                kind=self._kind,
                level=now.level,
                pattern=pattern,
                agent=self._agent,
                episode=self._number,
                ongoing=ongoing,
                period=period,
                calls=calls,
                first=now.first,
                last=now.last,
                at=now.at,
                score=round(self.score, 3),
                why=why(pattern, calls=calls, period=period, names=now.names),
            )
        ]

    def marks(self) -> tuple[Mark, ...]:
        """The steps that findings of the episode under way name."""
        now = self._now
        return () if now is None else (now.first, now.last, now.at)

    def _raised(self, now: _Episode, mark: Mark) -> list[Finding]:
        level: Level | None = None
        if self.score >= self._tuning.confirmed:
            level = "confirmed"
        elif self.score >= self._tuning.suspected:
            level = "suspected"
        if level is None or now.level in (level, "confirmed"):
            return []
        self._number += now.level is None
        now.level, now.at = level, mark
        return self.findings()


def _extend(now: _Episode, repeat: Repeat, name: str) -> None:
    now.weights[repeat.pattern] = now.weights.get(repeat.pattern, 0.0) + repeat.weight
    now.steady = now.steady + 1 if repeat.distance == now.distance else 1
    now.distance = repeat.distance
    if name and name not in now.names and len(now.names) < _NAMES_MOST:
        now.names.append(name)
