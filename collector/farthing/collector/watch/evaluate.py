"""How well the detector judges labelled runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median, quantiles
from typing import Any, Final

from farthing.collector.watch.kinds import Kinds
from farthing.collector.watch.labelled import LabelledRun
from farthing.economics.loops import Detector, Finding, Level, Tuning

_LEVELS: Final[dict[Level, int]] = {"suspected": 0, "confirmed": 1}


@dataclass(frozen=True, slots=True)
class Alarm:
    """An episode that reached the level at which people are told, or a stalled run."""

    trace_id: str
    source: str
    kind: str
    level: str
    at_tool_step: int
    why: str


@dataclass(slots=True)
class Score:
    """Counts of one source, or of all. Delays are in tool calls from the first
    repetition, inclusive; tokens are those of model calls after it."""

    runs: int = 0
    loops: int = 0
    found: int = 0
    flagged: int = 0
    normal: int = 0
    false_alarms: int = 0
    delays: list[int] = field(default_factory=list)
    tokens_after_onset: int = 0
    tokens_unspent: int = 0
    stalled: int = 0
    stalled_normal: int = 0

    def add(self, run: LabelledRun, alarms: Sequence[Alarm]) -> None:
        """Count a run and the alarms on it; only those of kind `loop` are judged."""
        loop = next((alarm for alarm in alarms if alarm.kind == "loop"), None)
        self.runs += 1
        self.flagged += loop is not None
        self.normal += run.is_normal
        self.false_alarms += run.is_normal and loop is not None
        if run.label != "loop":
            return
        self.loops += 1
        if loop is None:
            return
        self.found += 1
        if run.onset is not None:
            self.delays.append(loop.at_tool_step - run.onset + 1)
            self.tokens_after_onset += _tokens_after(run, run.onset)
            self.tokens_unspent += _tokens_after(run, loop.at_tool_step)

    def add_stalled(self, run: LabelledRun) -> None:
        """Count a run that is stalled, which is never called a loop."""
        self.stalled += 1
        self.stalled_normal += run.is_normal

    def to_json(self) -> dict[str, Any]:
        """The form of `--json`; null is what cannot be said."""
        return {
            "runs": self.runs,
            "flagged": self.flagged,
            "loops": self.loops,
            "found": self.found,
            "recall": _share(self.found, self.loops),
            "normal_runs": self.normal,
            "false_alarms": self.false_alarms,
            "false_alarms_per_1000": _share(1000 * self.false_alarms, self.normal),
            "precision": _share(self.found, self.found + self.false_alarms),
            "delay_median": median(self.delays) if self.delays else None,
            "delay_p90": p90(self.delays),
            "unspent_at_alarm": _share(self.tokens_unspent, self.tokens_after_onset),
            "stalled": self.stalled,
            "stalled_normal_per_1000": _share(1000 * self.stalled_normal, self.normal),
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores by source, and every alarm."""

    sources: dict[str, Score]
    total: Score
    alarms: tuple[Alarm, ...]

    def to_json(self) -> dict[str, Any]:
        """The form of `--json`."""
        by_source = [{"source": s, **x.to_json()} for s, x in self.sources.items()]
        return {"sources": by_source, "total": self.total.to_json()}


def evaluate(
    runs: Iterable[LabelledRun], *, level: Level, tuning: Tuning | None = None
) -> Evaluation:
    """Judge runs; an alarm is an episode that reaches `level`, or a run that stalled,
    which has but one level."""
    sources: dict[str, Score] = {}
    total = Score()
    alarms: list[Alarm] = []
    kinds = Kinds()
    for run in runs:
        raised = alarms_on(run, level=level, tuning=tuning or Tuning())
        sources.setdefault(run.source, Score()).add(run, raised)
        total.add(run, raised)
        alarms += raised
        kinds.add(run)
    for run, found in kinds.stalled():
        sources[run.source].add_stalled(run)
        total.add_stalled(run)
        alarms.append(_alarm(run, found))
    return Evaluation(sources, total, tuple(alarms))


def alarms_on(run: LabelledRun, *, level: Level, tuning: Tuning) -> list[Alarm]:
    """The alarms that a run raises while it goes on, in their order."""
    detector = Detector(tuning)
    told: set[tuple[str, str, int]] = set()
    alarms = []
    for step in run.steps:
        for found in detector.step(step):
            key = (found.kind, found.agent, found.episode)
            if _LEVELS[found.level] >= _LEVELS[level] and key not in told:
                told.add(key)
                alarms.append(_alarm(run, found))
    return alarms


def _alarm(run: LabelledRun, found: Finding) -> Alarm:
    at = found.at.tool_step
    return Alarm(run.trace_id, run.source, found.kind, found.level, at, found.why)


def alarm_json(alarm: Alarm) -> dict[str, Any]:
    """An alarm as a line of `--alarms`."""
    return asdict(alarm)


def p90(numbers: Sequence[int]) -> float | None:
    """The 90th percentile of some numbers; None of none."""
    if len(numbers) < 2:
        return float(numbers[0]) if numbers else None
    return quantiles(numbers, n=10, method="inclusive")[8]


def _tokens_after(run: LabelledRun, tool_step: int) -> int:
    """Tokens of the model calls after a tool step."""
    tool_steps = -1
    tokens = 0
    for step in run.steps:
        tool_steps += step.kind == "tool"
        if step.kind == "llm" and tool_steps >= tool_step:
            tokens += (step.input_tokens or 0) + (step.output_tokens or 0)
    return tokens


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
