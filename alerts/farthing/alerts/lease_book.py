"""Which process may use how much of a budget: one account per budget and subject.

What is used of a budget is what the ledger counts, what guards say that their finished
calls cost and the ledger does not count yet (unseen), and what is leased to processes.
The ledger is a second or two behind: without what is unseen, a budget would look
emptier than it is. Nothing counts twice: what the ledger grows by is taken off what is
unseen. What stays unseen for `_SEEN_S` is dropped: an estimate was too high, or spans
were lost, and the ledger knows better. Until the ledger was read for an account,
nothing more is leased of it: what was not looked up is not zero.

Not thread-safe. Amounts are femto-USD, times seconds of a monotonic clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Final

from farthing.economics.leases import Use

EXPIRES_S: Final = 10.0
"""A lease whose process says nothing for so long is given to others: guards end sooner
to use it (`FRESH_S` in guard/shared.py)."""
_SEEN_S: Final = 15.0
_GRAIN_S: Final = 1.0
_MOST_SETTLED: Final = 64


@dataclass(slots=True)
class _Share:
    """What a process said last, and when."""

    use: Use
    at_s: float

    @property
    def leased(self) -> int:
        """What it may still spend."""
        return max(self.use.granted, self.use.spent + self.use.held) - self.use.spent


@dataclass(frozen=True, slots=True)
class Granted:
    """An account's answer: `total` is `Use.granted` from now on."""

    total: int
    is_refused: bool
    is_tight: bool


@dataclass(slots=True)
class LeaseAccount:
    """One budget of one subject in its window."""

    limit: int
    in_ledger: int | None = None
    """What the ledger counts; None until it was read."""
    is_behind: bool = False
    """Whether the ledger lacks what waited for it before anybody reported."""
    _unseen: int = 0
    _settled: deque[tuple[float, int]] = field(default_factory=deque)
    _shares: dict[str, _Share] = field(default_factory=dict)

    @property
    def spent(self) -> int:
        """What is spent, as far as anybody told."""
        return (self.in_ledger or 0) + self._unseen

    @property
    def is_read(self) -> bool:
        """Whether the ledger was read for it, and knows what is to be known."""
        return self.is_looked_up and not self.is_behind

    @property
    def is_looked_up(self) -> bool:
        """Whether the ledger was read for it."""
        return self.in_ledger is not None

    @property
    def is_idle(self) -> bool:
        """Whether no process has a share, nor anything that the ledger may not know."""
        return not self._shares and not self._unseen

    def counted(self, in_ledger: int) -> None:
        """The ledger's newest figure."""
        if self.in_ledger is not None:
            self._unseen -= min(max(0, in_ledger - self.in_ledger), self._unseen)
        self.in_ledger = in_ledger

    def forget(self, *, now_s: float, lag_s: float = 0.0) -> None:
        """Drop what stayed unseen though the ledger was read, when what waits for it is
        `lag_s` old."""
        while self._settled and self._settled[0][0] < now_s - lag_s - _SEEN_S:
            self._settled.popleft()
        self._unseen = min(self._unseen, sum(amount for _, amount in self._settled))

    def release(self, *, now_s: float) -> None:
        """Drop the shares of processes that went silent."""
        silent = [p for p, s in self._shares.items() if s.at_s < now_s - EXPIRES_S]
        for process in silent:
            del self._shares[process]

    def report(self, process: str, use: Use, *, now_s: float) -> Granted:
        """What a process has used, and what it may use from now on.

        What one that was not known has spent before is in the ledger, or will be. None
        has more granted than it was, nor one that was not known more than the limit.
        """
        before = self._shares.get(process)
        if before is None:
            most = use.spent + self.limit
        else:
            most = before.use.granted
            self._settle(before.use.spent, use.spent, now_s)
        use = replace(use, granted=min(use.granted, most))
        granted = self._grant(process, use)
        self._shares[process] = _Share(replace(use, granted=granted.total), now_s)
        return granted

    def _settle(self, before: int, now: int, now_s: float) -> None:
        """A process that spent less than before has begun anew."""
        news = now - before if now >= before else now
        if news:
            self._unseen += news
            self._remember(news, now_s)

    def _remember(self, news: int, now_s: float) -> None:
        """By the second, and the oldest as one, so that an hour without the ledger
        takes no more memory than a minute. Each is dated later rather than sooner."""
        at_s = (now_s // _GRAIN_S + 1) * _GRAIN_S
        if self._settled and self._settled[-1][0] == at_s:
            news += self._settled.pop()[1]
        self._settled.append((at_s, news))
        if len(self._settled) > _MOST_SETTLED:
            _, oldest = self._settled.popleft()
            next_s, amount = self._settled.popleft()
            self._settled.appendleft((next_s, oldest + amount))

    def _grant(self, process: str, use: Use) -> Granted:
        others = [share for p, share in self._shares.items() if p != process]
        has = max(use.granted, use.spent + use.held) - use.spent
        left = self.limit - self.spent - has - sum(share.leased for share in others)
        needs = max(0, use.held + use.asked - has)
        given = max(0, min(needs, left)) if self.is_read else 0
        held = use.held + sum(share.use.held for share in others)
        in_hand = (left - given) // (2 * (len(others) + 1))
        is_tight = in_hand < use.wanted or not self.is_read
        if not is_tight:
            given += max(0, use.wanted - max(0, has - use.held - use.asked))
        return Granted(
            total=use.spent + has + given,
            is_refused=self.spent + held + use.asked > self.limit,
            is_tight=is_tight,
        )
