"""What an agent did lately, as fingerprints, and what a new call repeats of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from farthing.economics.loops.findings import Pattern
from farthing.economics.loops.steps import Step
from farthing.economics.loops.tuning import WAITS, WRITES, Tuning, words


class Seen(NamedTuple):
    """A tool call as it is remembered under one of its fingerprints, the `times`th that
    has it: the `at`th of its agent."""

    times: int
    at: int
    turn: str
    step: Step


@dataclass(frozen=True, slots=True)
class Repeat:
    """What a step repeats: how it is alike, the weight of that, how many calls ago, and
    how often it had been seen before."""

    pattern: Pattern
    weight: float
    distance: int = 1
    count: int = 2


class Memory:
    """The last calls of one agent, by what can be alike about them."""

    def __init__(self, tuning: Tuning) -> None:
        self._tuning = tuning
        self._seen: dict[str, dict[str, Seen]] = {name: {} for name in _LIKENESSES}

    def take(self, step: Step, *, at: int, turn: str) -> Repeat | None:
        """Remember a tool call; the strongest way in which it repeats an earlier one.

        Calls of one turn are no repetitions of each other: they were made at once.
        """
        strongest = None
        for name, (key_of, weight_of) in _LIKENESSES.items():
            if key := key_of(step, self._tuning):
                old = self._remember(name, key, step, at=at, turn=turn)
                if old is None or old.turn == turn:
                    continue
                distance = at - old.at
                pattern, weight = weight_of(step, old.step, distance, self._tuning)
                if not weight:
                    continue
                weight *= self._share(step, old, distance)
                if weight and (strongest is None or weight > strongest.weight):
                    strongest = Repeat(pattern, weight, distance, old.times)
        return strongest

    def forget(self) -> None:
        """Begin anew."""
        for seen in self._seen.values():
            seen.clear()

    def _remember(
        self, name: str, key: str, step: Step, *, at: int, turn: str
    ) -> Seen | None:
        """What was known under this key before; the oldest is forgotten."""
        seen = self._seen[name]
        old = seen.pop(key, None)
        count = 1 if old is None else old.times + (old.turn != turn)
        seen[key] = Seen(count, at, turn, step)
        if len(seen) > self._tuning.remembered:
            del seen[next(iter(seen))]
        return old

    def _share(self, step: Step, old: Seen, distance: int) -> float:
        """How much of its weight a repetition has, by its count, distance and pace."""
        tuning = self._tuning
        share = 1.0
        if old.times == 1:
            is_near = distance <= tuning.near_distance
            share = tuning.first_repeat if is_near else tuning.far_first_repeat
        is_slow = (
            step.time_ns is not None
            and old.step.time_ns is not None
            and step.time_ns - old.step.time_ns > tuning.waiting_ns * distance
        )
        if not (is_slow or words(step.name) & WAITS):
            return share
        is_news = step.result_hash != old.step.result_hash and not is_error(step)
        return 0.0 if is_news else share * tuning.waiting


def is_error(step: Step) -> bool:
    """Whether a call failed: it said so, or its result looks like it."""
    return bool(step.error or step.err_sig_hash)


def is_write(step: Step, tuning: Tuning) -> bool:
    """Whether a call seems to change something: by its tool's name, by saying nothing,
    or because it tells much and is told little."""
    if step.empty or words(step.name) & WRITES:
        return True
    return (step.args_len or 0) >= tuning.acknowledged * max(step.result_len or 0, 1)


_Key = Callable[[Step, Tuning], str]
_Weighed = tuple[Pattern, float]
_Weight = Callable[[Step, Step, int, Tuning], _Weighed]


def _outcome(step: Step, _: Tuning) -> str:
    if step.args_hash and step.result_hash:
        return f"{step.name} {step.args_hash} {step.result_hash}"
    return ""


def _error(step: Step, _: Tuning) -> str:
    return step.err_sig_hash


def _call(step: Step, _: Tuning) -> str:
    return f"{step.name} {step.args_hash}" if step.args_hash else ""


def _answer(step: Step, tuning: Tuning) -> str:
    if step.empty or (step.result_len or 0) < tuning.informative_chars:
        return ""
    if is_error(step):  # Tools name themselves in their errors' first line, not after.
        return f"error {step.result_norm_hash}" if step.result_norm_hash else ""
    return step.result_hash


def _same_outcome(_step: Step, _old: Step, _distance: int, tuning: Tuning) -> _Weighed:
    return "repeat", tuning.repeat


def _same_error(step: Step, old: Step, _distance: int, tuning: Tuning) -> _Weighed:
    if step.empty or (step.result_len or 0) < tuning.telling_chars:
        return "same_error", tuning.silent_error
    if step.result_norm_hash == old.result_norm_hash:
        return "same_error", tuning.same_error
    is_long = (step.result_len or 0) >= tuning.long_chars
    weight = tuning.same_error_in_report if is_long else tuning.same_kind_of_error
    return "same_error", weight


def _near_outcome(step: Step, old: Step, distance: int, tuning: Tuning) -> _Weighed:
    if not step.result_hash or step.result_hash == old.result_hash:
        return "repeat", 0.0
    bits = tuning.near_bits_at_once if distance == 1 else tuning.near_bits
    is_near = (
        step.result_norm_hash == old.result_norm_hash != ""
        or step.result_shape_hash == old.result_shape_hash != ""
        or bits_apart(step.result_simhash, old.result_simhash) <= bits
    )
    return "repeat", (tuning.near_repeat if is_near else 0.0)


def _same_answer(step: Step, old: Step, distance: int, tuning: Tuning) -> _Weighed:
    if is_error(step):
        return "same_error", tuning.same_error
    if step.name != old.name:
        return "same_result", tuning.same_result
    is_asked_again = distance == 1 and step.args_hash != old.args_hash
    if not is_asked_again or is_write(step, tuning):
        return "same_result", 0.0
    return "same_result", tuning.reworded


def bits_apart(one: str, other: str) -> int:
    """In how many of 64 bits two similarity hashes differ; 64 if one is not known, or
    is none."""
    try:
        return (int(one, 16) ^ int(other, 16)).bit_count()
    except ValueError:
        return 64


_LIKENESSES: Final[dict[str, tuple[_Key, _Weight]]] = {
    "outcome": (_outcome, _same_outcome),
    "error": (_error, _same_error),
    "call": (_call, _near_outcome),
    "answer": (_answer, _same_answer),
}
