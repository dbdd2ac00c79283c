"""What an agent did lately, as fingerprints, and what a new call repeats of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from farthing.economics.loops.findings import Pattern
from farthing.economics.loops.steps import Step
from farthing.economics.loops.tuning import WAITS, WRITES, Tuning, words

Seen = tuple[int, int, str, Step]
"""A tool call as it is remembered under one of its fingerprints: how many calls had it
by then, which of its agent's calls it was, its turn, and what it was."""


@dataclass(slots=True)  # Never changed; to freeze it triples what making one takes.
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
        self._seen: tuple[dict[Hashable, Seen], ...] = tuple({} for _ in _WEIGHTS)

    def take(self, step: Step, *, at: int, turn: str) -> Repeat | None:
        """Remember a tool call; the strongest way in which it repeats an earlier one.

        Calls of one turn are no repetitions of each other: they were made at once.
        """
        tuning, strongest = self._tuning, None
        keys = _keys(step, tuning)
        now = (1, at, turn, step)
        for seen, key, weight_of in zip(self._seen, keys, _WEIGHTS, strict=True):
            if not key:
                continue
            old = seen.pop(key, None)
            if old is None:
                seen[key] = now
                if len(seen) > tuning.remembered:
                    del seen[next(iter(seen))]
                continue
            times, old_at, old_turn, old_step = old
            seen[key] = (times + (old_turn != turn), at, turn, step)
            if old_turn == turn:
                continue
            distance = at - old_at
            pattern, weight = weight_of(step, old_step, distance, tuning)
            if not weight:
                continue
            weight *= self._share(step, old_step, times, distance)
            if weight and (strongest is None or weight > strongest.weight):
                strongest = Repeat(pattern, weight, distance, times)
        return strongest

    def forget(self) -> None:
        """Begin anew."""
        for seen in self._seen:
            seen.clear()

    def _share(self, step: Step, old: Step, times: int, distance: int) -> float:
        """How much of its weight a repetition has, by its count, distance and pace."""
        tuning = self._tuning
        share = 1.0
        if times == 1:
            is_near = distance <= tuning.near_distance
            share = tuning.first_repeat if is_near else tuning.far_first_repeat
        is_slow = (
            step.time_ns is not None
            and old.time_ns is not None
            and step.time_ns - old.time_ns > tuning.waiting_ns * distance
        )
        if not (is_slow or _waits(step.name)):
            return share
        is_news = step.result_hash != old.result_hash and not is_error(step)
        return 0.0 if is_news else share * tuning.waiting


def is_error(step: Step) -> bool:
    """Whether a call failed: it said so, or its result looks like it."""
    return bool(step.error or step.err_sig_hash)


def is_write(step: Step, tuning: Tuning) -> bool:
    """Whether a call seems to change something: by its tool's name, by saying nothing,
    or because it tells much and is told little."""
    if step.empty or _writes(step.name):
        return True
    return (step.args_len or 0) >= tuning.acknowledged * max(step.result_len or 0, 1)


@lru_cache(maxsize=1024)
def _waits(tool: str) -> bool:
    return not WAITS.isdisjoint(words(tool))


@lru_cache(maxsize=1024)
def _writes(tool: str) -> bool:
    return not WRITES.isdisjoint(words(tool))


_Weighed = tuple[Pattern, float]
_Weight = Callable[[Step, Step, int, Tuning], _Weighed]


def _keys(step: Step, tuning: Tuning) -> tuple[Hashable, Hashable, Hashable, Hashable]:
    """What can be alike about a call, in the order of _WEIGHTS: call and result, error,
    call, answer. What is empty is like nothing."""
    name, args, result = step.name, step.args_hash, step.result_hash
    call = (name, args) if args else ""
    outcome = (name, args, result) if args and result else ""
    return outcome, step.err_sig_hash, call, _answer(step, tuning)


def _answer(step: Step, tuning: Tuning) -> Hashable:
    if step.empty or (step.result_len or 0) < tuning.informative_chars:
        return ""
    if is_error(step):  # Tools name themselves in their errors' first line, not after.
        return ("error", step.result_norm_hash) if step.result_norm_hash else ""
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


_WEIGHTS: Final[tuple[_Weight, ...]] = (
    _same_outcome,
    _same_error,
    _near_outcome,
    _same_answer,
)
