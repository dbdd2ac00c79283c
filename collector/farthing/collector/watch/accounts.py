"""What the agents of a run spent, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from farthing.collector.watch.entry import TAGS, Entry, tag_values


class Spent(NamedTuple):
    """Model calls, their tokens and dollars, and calls whose cost is not known."""

    calls: int
    tokens: int
    cost_usd: Decimal
    unpriced_calls: int

    def since(self, earlier: Spent) -> Spent:
        """What was spent since then."""
        return Spent(
            self.calls - earlier.calls,
            self.tokens - earlier.tokens,
            self.cost_usd - earlier.cost_usd,
            self.unpriced_calls - earlier.unpriced_calls,
        )


_NOTHING: Final = Spent(0, 0, Decimal(0), 0)


@dataclass(slots=True)
class Moment:
    """What an agent had spent before a moment, and by its end: what begins in the same
    microsecond belongs to it."""

    at_us: int
    before: Spent
    by: Spent


@dataclass(slots=True)
class _Account:
    now: Moment
    told: str
    tags: list[str]


class Accounts:
    """What was spent by now: of each agent, of the calls of no agent under the empty
    name, and, where it is asked for, of the whole run, whose agent is None."""

    def __init__(self, *, of_run: bool) -> None:
        self._is_of_run = of_run
        self._of_agent: dict[str | None, _Account] = {}

    def enter(self, entry: Entry) -> Moment:
        """Count an entry, in the order of entries; the moment of its agent."""
        if self._is_of_run:
            self._enter(None, entry)
        return self._enter(entry.agent, entry)

    def now(self, agent: str | None) -> Moment:
        """The moment of an agent's newest entry."""
        return self._of_agent[agent].now

    def tags(self, agent: str | None) -> list[str]:
        """What was told last of each of TAGS."""
        return self._of_agent[agent].tags

    def _enter(self, agent: str | None, entry: Entry) -> Moment:
        account = self._of_agent.get(agent)
        if account is None:
            nothing = Moment(entry.at_us, _NOTHING, _NOTHING)
            account = _Account(nothing, "", [""] * len(TAGS))
            self._of_agent[agent] = account
        moment = account.now
        if moment.at_us != entry.at_us:
            moment = account.now = Moment(entry.at_us, moment.by, moment.by)
        if entry.kind == "model_call":
            calls, tokens, cost_usd, unpriced_calls = moment.by
            moment.by = Spent(
                calls + entry.calls,
                tokens + entry.input + entry.output,
                cost_usd + Decimal(entry.cost_usd),
                unpriced_calls + (entry.calls if entry.is_unpriced else 0),
            )
        if account.told != entry.tags:
            account.told = entry.tags
            pairs = zip(tag_values(entry.tags), account.tags, strict=True)
            account.tags = [new or old for new, old in pairs]
        return moment
