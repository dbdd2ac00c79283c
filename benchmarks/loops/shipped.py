"""Rules of loop detectors that others ship, from their source at the commit named.

Each is a question to the events of a run up to now, asked after each of them; the first
yes is the alarm. What people say begins a new window, as it does in all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.loops.calls import Call, Reply

Events = Sequence[Call | Reply]
Rule = Callable[[Events], bool]


@dataclass(frozen=True)
class Shipped:
    """A rule set with the version that it is taken from."""

    name: str
    version: str
    rules: tuple[Rule, ...]

    def alarm(self, events: Sequence[Call | Reply]) -> int | None:
        """The tool step at which it says "loop", or None."""
        start = tool_step = 0
        for end, event in enumerate(events, start=1):
            if end > 1 and event.turn != events[end - 2].turn:
                start = end - 1
            if any(rule(events[start:end]) for rule in self.rules):
                return max(0, tool_step if isinstance(event, Call) else tool_step - 1)
            tool_step += isinstance(event, Call)
        return None


def _last_calls(events: Events, count: int) -> list[Call]:
    """The last calls, replies left out; none if there are fewer."""
    calls = [event for event in events[-4 * count :] if isinstance(event, Call)]
    return calls[-count:] if len(calls) >= count else []


def same_calls(count: int) -> Rule:
    """So many equal calls in a row, whatever comes back."""

    def rule(events: Events) -> bool:
        calls = _last_calls(events, count)
        return bool(calls) and len({call.key for call in calls}) == 1

    return rule


def same_calls_and_results(count: int, *, thoughts: bool = False) -> Rule:
    """So many equal calls with equal results in a row; the thought too, if compared."""

    def rule(events: Events) -> bool:
        calls = _last_calls(events, count)
        alike = {(c.key, c.result, c.thought if thoughts else "") for c in calls}
        return bool(calls) and len(alike) == 1

    return rule


def same_calls_that_fail(count: int, *, of: int = 0, thoughts: bool = False) -> Rule:
    """So many equal calls in a row that all fail, among at least `of` calls."""

    def rule(events: Events) -> bool:
        calls = _last_calls(events, count)
        alike = {(call.key, call.thought if thoughts else "") for call in calls}
        is_long = len(_last_calls(events, of)) >= of
        return is_long and len(alike) == 1 and all(call.error for call in calls)

    return rule


def same_errors(count: int) -> Rule:
    """So many errors of one signature; calls that succeed neither count nor reset."""

    def rule(events: Events) -> bool:
        errors = [e for e in events if isinstance(e, Call) and e.signature][-count:]
        return len(errors) == count and len({e.signature for e in errors}) == 1

    return rule


def alternation(count: int, *, results: bool) -> Rule:
    """A, B, A, B over `count` calls, with equal results if those are compared."""

    def rule(events: Events) -> bool:
        calls = _last_calls(events, count)
        one = {(c.key, c.result if results else "") for c in calls[::2]}
        other = {(c.key, c.result if results else "") for c in calls[1::2]}
        return bool(calls) and len(one) == len(other) == 1 and one != other

    return rule


def replies(count: int, *, equal: bool) -> Rule:
    """So many replies without a call between them, equal ones if that is asked."""

    def rule(events: Events) -> bool:
        last = events[-count:]
        if len(last) < count or not all(isinstance(e, Reply) for e in last):
            return False
        texts = {event.text for event in last if isinstance(event, Reply)}
        return len(texts) == 1 if equal else True

    return rule


def in_window(count: int, *, window: int, results: bool = False) -> Rule:
    """The last call so often among the last `window` calls."""

    def rule(events: Events) -> bool:
        calls = [event for event in events if isinstance(event, Call)][-window:]
        if not calls or not isinstance(events[-1], Call):
            return False
        last = calls[-1]
        same = [c for c in calls if c.key == last.key]
        if results:
            same = [c for c in same if c.result == last.result]
        return len(same) >= count

    return rule


def read_like(count: int, *, window: int) -> Rule:
    """So many of the last `window` calls only read; not before one that does not."""
    words = ("read", "list", "ls", "glob", "grep", "search", "find", "view", "get")

    def reads(call: Call) -> bool:
        return any(word in call.key[0].lower() for word in words)

    def rule(events: Events) -> bool:
        calls = [event for event in events if isinstance(event, Call)]
        if len(calls) < window or all(map(reads, calls)):
            return False
        return sum(map(reads, calls[-window:])) >= count

    return rule


def cap(count: int, *, repeated: int) -> Rule:
    """So many calls, if one of them was made `repeated` times."""

    def rule(events: Events) -> bool:
        keys = Counter(event.key for event in events if isinstance(event, Call))
        return sum(keys.values()) >= count and max(keys.values()) >= repeated

    return rule


def cycles(rounds: int, *, longest: int) -> Rule:
    """A cycle of 2 to `longest` calls with equal results, so many rounds of it."""

    def rule(events: Events) -> bool:
        for period in range(2, longest + 1):
            calls = _last_calls(events, rounds * period)
            chunks = [
                [(c.key, c.result) for c in calls[i : i + period]]
                for i in range(0, len(calls), period)
            ]
            if calls and all(one == other for one, other in pairwise(chunks)):
                return True
        return False

    return rule


def stagnation(count: int) -> Rule:
    """So many calls of one tool in a row, arguments differ, the result does not."""

    def rule(events: Events) -> bool:
        calls = _last_calls(events, count)
        alike = {(call.key[0], call.result) for call in calls}
        return bool(calls) and len(alike) == 1 and len({c.key for c in calls}) > 1

    return rule


_QWEN = (
    same_calls(5),
    cap(100, repeated=6),
    in_window(6, window=10_000),
    alternation(6, results=False),
    read_like(8, window=15),
)

SHIPPED = (
    Shipped(
        "OpenHands SDK",
        "611629e6",
        (
            same_calls_and_results(4, thoughts=True),
            same_calls_that_fail(4, thoughts=True),
            replies(3, equal=False),
            alternation(6, results=True),
        ),
    ),
    Shipped(
        "OpenHands legacy",
        "0f6c731e",
        (
            same_calls_and_results(4),
            same_calls_that_fail(3, of=4),
            replies(3, equal=True),
            alternation(6, results=True),
        ),
    ),
    Shipped("Gemini CLI", "022f913d, without chanting", (same_calls(5),)),
    Shipped("opencode", "doom_loop", (same_calls(3),)),
    Shipped("Roo", "ToolRepetitionDetector", (same_calls(4),)),
    Shipped("Cline", "#9933, hard stop", (same_calls(5),)),
    Shipped("CrewAI", "tool_usage.py", (same_calls(2),)),
    Shipped("openclaw", "warn", (in_window(10, window=30),)),
    Shipped("openclaw", "block", (in_window(20, window=30, results=True),)),
    Shipped(
        "stella",
        "#394, #1361",
        (same_calls_and_results(3), cycles(3, longest=4), stagnation(6)),
    ),
    Shipped("qwen-code", "00aa71b4, always on", (same_calls(5), cap(100, repeated=6))),
    Shipped("qwen-code", "00aa71b4, heuristics", _QWEN),
    Shipped("qwen-code", "heuristics and #10916", (*_QWEN, same_errors(3))),
)
