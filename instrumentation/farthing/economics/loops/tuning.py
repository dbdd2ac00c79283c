"""The few numbers of the detector, each with its reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What a step adds to the score of its agent, or takes from it.

    The unit is one exact repetition of a call that had been repeated before. Nothing
    here knows a tool, a model or a source of runs.
    """

    suspected: float = 1.5
    """Three calls of one intent, and no more: reason to look, or to warn the agent."""
    confirmed: float = 2.5
    """Four calls of one intent (0.6 + 1 + 1) with nothing new between them."""
    ended: float = 0.5
    highest: float = 4.0
    """How much a long loop can pile up: what must be cooled before it has ended."""

    repeat: float = 1.0
    same_error: float = 1.0
    """Whatever the arguments: an error that stays teaches nothing."""
    same_kind_of_error: float = 0.8
    """...with other words around it: another column that does not exist."""
    same_error_in_report: float = 0.4
    """A long output that changed says more than the line that did not: a test's log."""
    silent_error: float = 0.5
    """A failure without a word may be an answer: a search that found nothing."""
    near_repeat: float = 0.6
    """Equal but for numbers, times, ids, or growing: may be how a poll looks."""
    same_result: float = 0.8
    """Equal answers of different tools are no answers."""
    reworded: float = 0.7
    """Equal answers of one tool to different questions, one right after the other, may
    be true. With other calls between them they are how a harness says "done"."""
    retry: float = 0.45
    """Three retries are how infrastructure is meant to be used; six are a storm."""

    first_repeat: float = 0.6
    """Share of its weight that a first repetition has: twice is not yet a habit."""
    far_first_repeat: float = 0.3
    near_distance: int = 3
    """...and if more calls lie between: something was looked up again."""
    first_repeats_reach: float = 1.4
    """Up to here first repetitions can lift the score, which is below suspicion:
    nothing is a loop before some call, error or answer came a third time."""
    waiting: float = 0.25
    """Share that is left where the tool waits by its name, or calls are far apart."""
    waiting_ns: int = 60_000_000_000

    novel: float = 0.4
    """What an unseen result cools, times the length of the stretch of such results: a
    loop with one varying call in between heats up, progress cools fast."""
    novel_change: float = 0.8
    """...of a call that seems to have changed something: a re-run of a test after it is
    a new try."""
    novel_error: float = 0.2
    """A new error is news, and no progress."""
    novelty_most: int = 4

    informative_chars: int = 32
    """A shorter answer ("sunny", "all checks passed") can be equal by chance."""
    telling_chars: int = 16
    """A shorter error ("exit code 1") says no more than that something failed."""
    long_chars: int = 1000
    """A longer result is a report, of which an error line is a part."""
    acknowledged: int = 6
    """A call this many times as long as its result tells more than it asks: a write."""
    long_reply_tokens: int = 64
    """A shorter reply that differs in its numbers says something else: it may be a
    call, told as text, for the next item of a batch."""
    near_bits: int = 6
    """64-bit similarity hashes at most this far apart stand for nearly equal texts."""
    near_bits_at_once: int = 12
    """...of the same call made twice in a row, which healthy agents hardly ever do."""
    remembered: int = 48
    """How many fingerprints of a kind are kept: cycles up to this period are seen."""


WAITS: Final = frozenset(
    (
        "monitor", "more", "next", "output", "page", "poll", "progress", "scroll",
        "sleep", "status", "tail", "wait", "watch",
    )
)  # fmt: skip
"""Words in the names of tools that are called again by nature: they wait, or go on."""

WRITES: Final = frozenset(
    (
        "add", "append", "apply", "book", "cancel", "copy", "create", "delete", "edit",
        "insert", "mark", "move", "patch", "post", "put", "remove", "rename", "replace",
        "save", "send", "set", "submit", "update", "upsert", "write",
    )
)  # fmt: skip
"""Words in the names of tools that change something, and answer that they did."""

_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@lru_cache(maxsize=1024)
def words(name: str) -> frozenset[str]:
    """The words of a tool's name: `str_replace`, `TodoWrite`, `mcp__db__query`."""
    return frozenset(word.lower() for word in _WORD.findall(name))
