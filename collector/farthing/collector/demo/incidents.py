"""The two runs that a reader of the report should find, both in the last hour."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from farthing.collector.demo import cast, models
from farthing.collector.demo.tape import Plan, Stuck
from farthing.collector.demo.tell import ToolCall

LOOP_RUN_ID: Final = "code-review-100b5eed"
"""The run whose agent runs the same failing tests again and again."""

RUNAWAY_RUN_ID: Final = "research-brief-b16b111e"
"""The run that costs a multiple of its kind's median and repeats nothing."""

_SAME_FAILURE: Final = ToolCall(
    tool=cast.RUN_TESTS,
    arguments="run_tests tests/test_api.py",
    result="the same assertion fails",
    result_tokens=1_450,
    error="ToolError",
)

# Neither waits for anyone, so that both fit into the hour before now.
_LOOP: Final = Plan(
    run_id=LOOP_RUN_ID,
    task=replace(cast.CODE_REVIEW, waits=0.0),
    user=cast.USERS[0],
    model=models.SONNET,
    turns=52,
    prompt_tokens=5_200,
    stuck=Stuck(after=9, call=_SAME_FAILURE),
    gives_up=True,
)
_RUNAWAY: Final = Plan(
    run_id=RUNAWAY_RUN_ID,
    # It never compacts its context, which is why it costs what it does.
    task=replace(
        cast.RESEARCH_BRIEF,
        waits=0.0,
        agent=replace(cast.ANALYST, compact_at_tokens=1_000_000),
    ),
    user=cast.USERS[8],
    model=models.GPT_5,
    turns=42,
    prompt_tokens=1_900,
    result_factor=1.2,
)

INCIDENTS: Final = ((_LOOP, 90), (_RUNAWAY, 420))
"""Each with the seconds before now at which it ended."""
