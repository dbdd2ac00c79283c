"""What a finding says to people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from farthing.economics.loops.findings import Pattern

_SAYS: Final[dict[Pattern, str]] = {
    "repeat": "{calls} more calls of {tools}, each with a result that was there before",
    "cycle": "the same {period} calls over and over ({tools}), {calls} so far",
    "same_error": "{calls} more calls of {tools} that end in an error seen before",
    "same_result": "{calls} more calls of {tools}, asked otherwise, answered the same",
    "monologue": "{calls} more replies that call no tool and say what was said before",
    "retries": "{calls} calls of {tools} in a row that the other side refused"
    " (429, 5xx)",
    "slow": "{calls} calls, far more than such a task takes",
}


def why(
    pattern: Pattern, *, calls: int, period: int = 0, names: Sequence[str] = ()
) -> str:
    """The pattern of an episode in words."""
    tools = ", ".join(names) or "tools"
    return _SAYS[pattern].format(calls=calls, period=period, tools=tools)
