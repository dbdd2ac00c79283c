"""One agent of a run: each step heats its score or cools it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from farthing.economics.loops.episodes import Episodes
from farthing.economics.loops.findings import Finding, Mark
from farthing.economics.loops.memory import Memory, Repeat, is_error, is_write
from farthing.economics.loops.steps import Step
from farthing.economics.loops.tuning import Tuning

_RETRYABLE: Final = frozenset((408, 425, 429))
_SERVER_ERROR: Final = 500
_PARALLEL_MOST: Final = 16
"""So many tool calls after one model call may be of one turn. More are taken for an
emitter that does not tell of each model call."""
_REMARKS: Final = 16
"""How many texts of people are remembered."""


class Lane:
    """Judges the steps of one agent, in their order."""

    def __init__(self, agent: str, tuning: Tuning) -> None:
        self._tuning = tuning
        self._memory = Memory(tuning)
        self._loops = Episodes("loop", agent, tuning)
        self._retries = Episodes("retry_storm", agent, tuning)
        self._replies: dict[str, int] = {}
        self._reply: tuple[Step, Mark] | None = None
        self._reply_tokens = 0
        self._remarks: list[str] = []
        self._calls = 0
        self._refusals = 0
        self._turns = 0
        self._calls_in_turn = 0
        self._turn = ""
        self._heat_of_turn = 0.0
        self._novel = 0
        self.repeat: Repeat | None = None
        """What the last step repeated, as far as it counted."""

    @property
    def score(self) -> float:
        """How much the agent repeats itself now."""
        return self._loops.score

    def step(self, step: Step, mark: Mark) -> list[Finding]:
        """Judge a step; findings that were raised or ended by it."""
        self.repeat = None
        kind = step.kind
        if kind != "user" and is_retryable(step):
            return self._refused(step, mark)
        if kind == "tool":
            return self._called(step, mark)
        found = self._replied()
        if kind == "user":
            return found + self._spoken_to(step)
        self._reply = (step, mark)
        self._turns += 1
        self._calls_in_turn = 0
        return found

    def findings(self) -> list[Finding]:
        """What goes on now."""
        return self._loops.findings() + self._retries.findings()

    def end(self) -> list[Finding]:
        """End what goes on; what that was."""
        return self._loops.end() + self._retries.end()

    def marks(self) -> Iterator[Mark]:
        """Earlier steps that findings to come may name."""
        yield from self._loops.marks()
        yield from self._retries.marks()
        if self._reply is not None:
            yield self._reply[1]

    def _called(self, step: Step, mark: Mark) -> list[Finding]:
        self._reply = None
        self._replies.clear()
        self._calls += 1
        turn = self._turn_of(step)
        found = self._retries.cool(self._tuning.novel_change)
        repeated = self._memory.take(step, at=self._calls, turn=turn)
        if repeated is None or self._is_new_try(repeated, step):
            return found + self._cooled(step)
        self._novel = 0
        self.repeat = self._once_a_turn(repeated)
        return found + self._loops.heat(self.repeat, step, mark, call=self._calls)

    def _refused(self, step: Step, mark: Mark) -> list[Finding]:
        """The infrastructure failed: no step of the agent's, whoever tries again."""
        if step.kind == "tool":
            self._reply = None
        self._refusals += 1
        self.repeat = Repeat("retries", self._tuning.retry)
        return self._retries.heat(self.repeat, step, mark, call=self._refusals)

    def _turn_of(self, step: Step) -> str:
        self._calls_in_turn += 1
        if step.turn:
            turn = step.turn
        elif self._turns and self._calls_in_turn <= _PARALLEL_MOST:
            turn = f"#{self._turns}"
        else:
            turn = f"@{self._calls}"
        if turn != self._turn:
            self._turn, self._heat_of_turn = turn, 0.0
        return turn

    def _is_new_try(self, repeat: Repeat, step: Step) -> bool:
        """Whether a call made something so again that others may have undone."""
        is_far = repeat.distance > self._tuning.near_distance
        return is_far and not is_error(step) and is_write(step, self._tuning)

    def _once_a_turn(self, repeat: Repeat) -> Repeat:
        """A turn is one try, however many calls it makes at once."""
        weight = max(0.0, repeat.weight - self._heat_of_turn)
        self._heat_of_turn = max(self._heat_of_turn, repeat.weight)
        return Repeat(repeat.pattern, weight, repeat.distance, repeat.count)

    def _cooled(self, step: Step) -> list[Finding]:
        tuning = self._tuning
        if is_error(step):
            return self._loops.cool(tuning.novel_error)
        if not step.result_hash:
            return []  # Not known to be new.
        self._novel = min(self._novel + 1, tuning.novelty_most)
        by = tuning.novel_change if is_write(step, tuning) else tuning.novel
        return self._loops.cool(by * self._novel)

    def _replied(self) -> list[Finding]:
        """Judge the last reply, now that it is known to have called no tool."""
        if self._reply is None:
            return []
        (step, mark), self._reply = self._reply, None
        tokens = step.input_tokens or 0
        if tokens < self._reply_tokens:  # Not the conversation that it was.
            self._replies.clear()
        self._reply_tokens = tokens
        text = self._text_of(step)
        count = self._replies.get(text, 0)
        if text and (text in self._replies or len(self._replies) < _REMARKS):
            self._replies[text] = count + 1
        if not count:
            return []
        weight = self._tuning.first_repeat if count == 1 else self._tuning.repeat
        self.repeat = Repeat("monologue", weight, count=count)
        return self._loops.heat(self.repeat, step, mark, call=self._calls + count)

    def _text_of(self, step: Step) -> str:
        is_short = (step.output_tokens or 0) < self._tuning.long_reply_tokens
        return step.text_hash if is_short else step.text_norm_hash or step.text_hash

    def _spoken_to(self, step: Step) -> list[Finding]:
        """A person starts anew; what says the same again is no person but a harness."""
        if step.text_hash and step.text_hash in self._remarks:
            return []
        self._remarks = [*self._remarks[1 - _REMARKS :], step.text_hash]
        self._memory.forget()
        self._replies.clear()
        return self.end()


def is_retryable(step: Step) -> bool:
    """Whether the infrastructure failed, and not what was asked of it."""
    status = step.status
    if step.retryable or not status:
        return step.retryable
    return status in _RETRYABLE or status >= _SERVER_ERROR
