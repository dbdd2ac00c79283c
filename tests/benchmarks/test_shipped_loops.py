"""Shipped loop rules are rebuilt as they are described."""

from __future__ import annotations

import pytest

from benchmarks.loops.calls import calls_and_replies
from benchmarks.loops.shipped import SHIPPED
from farthing.economics.loops import Step

RULES = {(s.name, s.version): s for s in SHIPPED}


def told(pattern: str) -> list[Step]:
    """A letter a call with its own result; lower case fails; `.` a reply; `?` a
    person's message."""
    steps = []
    for letter in pattern:
        if letter == "?":
            steps.append(Step(kind="user", text_hash="u"))
            continue
        steps.append(Step(kind="llm", text_hash=letter))
        if letter != ".":
            steps.append(
                Step(
                    kind="tool",
                    name="bash",
                    args_hash=letter,
                    result_hash=letter,
                    error=letter.islower(),
                    err_sig_hash="e" if letter.islower() else "",
                )
            )
    return steps


@pytest.mark.parametrize(
    ("name", "version", "pattern", "at"),
    [
        ("OpenHands SDK", "611629e6", "XAAAA", 4),
        ("OpenHands SDK", "611629e6", "AAA", None),
        ("OpenHands SDK", "611629e6", "AA?AA", None),
        ("OpenHands SDK", "611629e6", "ABABAB", 5),
        ("OpenHands SDK", "611629e6", "A...", 0),
        ("OpenHands legacy", "0f6c731e", "Xaaa", 3),
        ("Gemini CLI", "022f913d, without chanting", "AAAAA", 4),
        ("Gemini CLI", "022f913d, without chanting", "AABAAB", None),
        ("opencode", "doom_loop", "AAA", 2),
        ("Roo", "ToolRepetitionDetector", "AAAA", 3),
        ("openclaw", "warn", "ABCABCABCABCABCABCABCABCABCA", 27),
        ("stella", "#394, #1361", "ABCABCABC", 8),
        ("qwen-code", "heuristics and #10916", "aXbYc", 4),
        ("qwen-code", "00aa71b4, heuristics", "aXbYc", None),
    ],
)
def test_rule(name: str, version: str, pattern: str, at: int | None) -> None:
    """A rule speaks up at the call at which its description says so, and no earlier."""
    shipped = RULES[name, version]
    assert shipped.alarm(calls_and_replies(told(pattern))) == at
