"""What a budget promises, for any mix of calls that run side by side."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.economics.usage import TokenBuckets
from farthing.errors import BudgetExceeded
from farthing.instrumentation.calls import ModelCall
from tests.instrumentation.guard.agents import Agent, agent, ended

LIMIT_FEMTO_USD = 500_000_000_000_000
INPUT_RATE, OUTPUT_RATE = 2_000_000_000, 8_000_000_000
"""Femto-USD per token of gpt-4.1, the model of these calls."""
ASKED = {"role": "user", "content": "go on with the report " * 400}
INPUT = 2_000
"""Tokens of it, fewer than are assumed."""

Move = tuple[bool, int | None, int]
"""Whether a call begins or one ends; its bound; how long the answer would be."""
moves = st.lists(
    st.tuples(
        st.booleans(),
        st.one_of(st.none(), st.integers(1, 20_000)),
        st.integers(0, 40_000),
    ),
    min_size=10,
    max_size=60,
)


@dataclass
class Under:
    """A call under way: what was held for it, and how long its answer will be."""

    call: ModelCall
    held: int
    output: int

    @property
    def femto_usd(self) -> int:
        return INPUT * INPUT_RATE + self.output * OUTPUT_RATE

    @property
    def beyond(self) -> int:
        """What it costs beyond its estimate."""
        return max(self.femto_usd - self.held, 0)


@dataclass
class Story:
    """What came of a sequence of moves."""

    spent: int = 0
    most_beyond: int = 0
    under: list[Under] = field(default_factory=list)

    def begin(self, worker: Agent, bound: int | None, output: int) -> None:
        try:
            call = worker.begin({"messages": [ASKED], "max_tokens": bound})
        except BudgetExceeded:
            return
        held = call.state["guard"].held[0].femto_usd
        self.under.append(Under(call, held, min(output, bound or output)))
        self.most_beyond = max(self.most_beyond, self.under[-1].beyond)

    def end(self, worker: Agent) -> None:
        if self.under:
            done = self.under.pop(0)
            usage = TokenBuckets(input=INPUT, output=done.output)
            worker.end(done.call, ended(usage))
            self.spent += done.femto_usd


def told(made: list[Move], *, is_bounded: bool) -> Story:
    """Begin and end calls under a budget; in the end all have ended."""
    worker, story = agent({"FARTHING_BUDGET_USD": "0.50"}), Story()
    for begins, bound, output in made:
        if begins:
            story.begin(worker, bound or (1_000 if is_bounded else None), output)
        else:
            story.end(worker)
    while story.under:
        story.end(worker)
    return story


@settings(max_examples=60, deadline=None)
@given(moves)
def test_with_bounds_a_budget_is_never_passed(made: list[Move]) -> None:
    """Where each request bounds its output, what all calls cost together stays within
    the budget, however many run side by side."""
    assert told(made, is_bounded=True).spent <= LIMIT_FEMTO_USD


@settings(max_examples=60, deadline=None)
@given(moves)
def test_without_bounds_it_is_passed_by_one_call_at_most(made: list[Move]) -> None:
    """Where some do not, it is passed at most by what one call costs beyond its own
    estimate, however many run side by side."""
    story = told(made, is_bounded=False)
    assert story.spent <= LIMIT_FEMTO_USD + story.most_beyond
