"""Limits of an agent's run, and what is left of them.

    account = Account(RunLimits(femto_usd=500_000_000_000_000))
    taken = account.take(Estimate(femto_usd=...))     # before the call is sent
    if isinstance(taken, Refused): ...                # which limit, how much is used
    account.settle(taken, Outcome(femto_usd=...))     # after it; or cancel(taken)

What a call may cost at most is held from before it is sent until it is known what it
did cost. So calls that run side by side cannot pass a limit together: the sum of what
was spent and what is held is never above the limit, and what is spent in the end is
above it at most by what calls cost beyond their own estimates.

Money is integer femto-USD (1e-15 USD), as in the price book. Threads and tasks may
share an account: each method is one short critical section that waits for nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

NEAR_PERCENT: Final = 80
"""From this share of a limit on, a run is near it."""


class Kind(StrEnum):
    """What is limited."""

    USD = "usd"
    """What the run's model calls cost, in femto-USD."""
    STEPS = "steps"
    """How many model calls the run makes."""
    STEP_TOKENS = "step_tokens"
    """Tokens of the run's largest model call, input and output: what a context grows
    to."""
    TOOL_RETRIES = "tool_retries"
    """How often a tool that failed is called again before it works."""


@dataclass(frozen=True, slots=True)
class RunLimits:
    """The limits of one run; None is no limit."""

    femto_usd: int | None = None
    steps: int | None = None
    step_tokens: int | None = None
    tool_retries: int | None = None

    def of(self, kind: Kind) -> int | None:
        """The limit of one kind, in its unit."""
        return {
            Kind.USD: self.femto_usd,
            Kind.STEPS: self.steps,
            Kind.STEP_TOKENS: self.step_tokens,
            Kind.TOOL_RETRIES: self.tool_retries,
        }[kind]

    def __bool__(self) -> bool:
        return any(self.of(kind) is not None for kind in Kind)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The most that a call is thought to cost. `is_guess`: its model has no price.
    `most_femto_usd`: what it can cost, where its request lets the answer be as long as
    the model likes; else 0."""

    femto_usd: int = 0
    is_guess: bool = False
    most_femto_usd: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call did cost. `tokens` is None where nobody told; `is_guess` says that
    the cost is the estimate, for want of a price or of usage."""

    femto_usd: int
    tokens: int | None = None
    is_guess: bool = False


@dataclass(eq=False, slots=True)
class Taken:
    """A call's share of an account, held until it is settled or cancelled, once."""

    femto_usd: int


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a limit is used: `used` of `limit`, in the unit of its kind.

    `held` is the part of `used` that calls under way hold, `asked` what the next call
    would add. `name` is the tool's, for TOOL_RETRIES.
    """

    kind: Kind
    limit: int
    used: int
    held: int = 0
    asked: int = 0
    name: str = ""

    @property
    def is_near(self) -> bool:
        """Whether NEAR_PERCENT of the limit are used."""
        return self.used * 100 >= self.limit * NEAR_PERCENT

    @property
    def is_reached(self) -> bool:
        """Whether nothing more is left, or not enough for the next call."""
        return self.used >= self.limit or self.used + self.asked > self.limit


@dataclass(frozen=True, slots=True)
class Refused:
    """A call that must not be sent: the limits that are reached, the first first.
    `position` is that of the account among those that were asked."""

    readings: tuple[Reading, ...]
    position: int = 0


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run has used so far."""

    femto_usd: int
    held_femto_usd: int
    steps: int
    step_tokens: int
    is_guess: bool


@dataclass(slots=True)
class _Used:
    """The counters of an account."""

    femto_usd: int = 0
    held: int = 0
    steps: int = 0
    step_tokens: int = 0
    is_guess: bool = False
    failures: dict[str, int] = field(default_factory=dict)


class Account:
    """What one run may use, and has used."""

    def __init__(self, limits: RunLimits) -> None:
        self._limits = limits
        self._used = _Used()
        self._open: set[Taken] = set()
        self._lock = threading.Lock()

    @property
    def limits(self) -> RunLimits:
        return self._limits

    def set_limits(self, limits: RunLimits) -> None:
        """Change the limits; what was used stays. For limits that others share in."""
        with self._lock:
            self._limits = limits

    def take(self, estimate: Estimate, *, anyway: bool = False) -> Taken | Refused:
        """Hold a call's estimated cost and count its step, or say why not.

        `anyway` takes it whatever the limits say: what a guard that only warns does,
        and the one call in which an agent may wrap up.
        """
        if estimate.femto_usd < 0:
            raise ValueError(f"an estimate is not negative: {estimate.femto_usd}")
        with self._lock:
            reached = self._reached(estimate.femto_usd)
            if reached and not anyway:
                return Refused(reached)
            self._used.held += estimate.femto_usd
            self._used.steps += 1
            taken = Taken(estimate.femto_usd)
            self._open.add(taken)
            return taken

    def settle(self, taken: Taken, outcome: Outcome) -> None:
        """Replace what was held by what was spent. Once per call: what comes later does
        nothing, because a stream may end twice."""
        if outcome.femto_usd < 0:
            raise ValueError(f"a cost is not negative: {outcome.femto_usd}")
        with self._lock:
            if not self._release(taken):
                return
            used = self._used
            used.femto_usd += outcome.femto_usd
            used.is_guess = used.is_guess or outcome.is_guess
            if outcome.tokens is not None:
                used.step_tokens = max(used.step_tokens, outcome.tokens)

    def cancel(self, taken: Taken) -> None:
        """The call was not sent, or not billed: give back what was held. Its step
        stays counted only if it was settled."""
        with self._lock:
            if self._release(taken):
                self._used.steps -= 1

    def tool_ended(self, name: str, *, failed: bool) -> None:
        """A tool's result came in: failures in a row are retries, success ends them."""
        with self._lock:
            failures = self._used.failures
            if failed:
                failures[name] = failures.get(name, 0) + 1
            else:
                failures.pop(name, None)

    def forked(self) -> None:
        """This process is a forked child: what was spent stays; calls under way are the
        parent's, and so is a thread that held the lock."""
        self._lock = threading.Lock()
        self._open.clear()
        self._used.held = 0

    def readings(self, asked_femto_usd: int = 0) -> tuple[Reading, ...]:
        """How far each limit that is set is used; the order of `Kind`."""
        with self._lock:
            return self._readings(asked_femto_usd)

    def spent(self) -> Spent:
        """What the run has used so far."""
        with self._lock:
            used = self._used
            return Spent(
                used.femto_usd,
                used.held,
                used.steps,
                used.step_tokens,
                used.is_guess,
            )

    def _release(self, taken: Taken) -> bool:
        if taken not in self._open:
            return False
        self._open.discard(taken)
        self._used.held -= taken.femto_usd
        return True

    def _reached(self, asked_femto_usd: int) -> tuple[Reading, ...]:
        readings = self._readings(asked_femto_usd)
        return tuple(reading for reading in readings if reading.is_reached)

    def _readings(self, asked_femto_usd: int) -> tuple[Reading, ...]:
        limits, used = self._limits, self._used
        found = []
        if limits.femto_usd is not None:
            total = used.femto_usd + used.held
            found.append(
                Reading(Kind.USD, limits.femto_usd, total, used.held, asked_femto_usd)
            )
        if limits.steps is not None:
            found.append(Reading(Kind.STEPS, limits.steps, used.steps))
        if limits.step_tokens is not None:
            found.append(
                Reading(Kind.STEP_TOKENS, limits.step_tokens, used.step_tokens)
            )
        if limits.tool_retries is not None:
            found.append(self._retries(limits.tool_retries))
        return tuple(found)

    def _retries(self, limit: int) -> Reading:
        """The tool that failed most often in a row. The first failure is no retry, and
        a retry that failed is known when its result is: so `limit` retries have been
        made when a tool failed `limit + 1` times."""
        failures = self._used.failures
        name = max(failures, key=failures.__getitem__, default="")
        return Reading(
            Kind.TOOL_RETRIES, limit, max(failures.get(name, 0) - 1, 0), name=name
        )


def take_all(
    accounts: Sequence[Account], estimates: Iterable[Estimate], *, anyway: bool = False
) -> list[Taken] | Refused:
    """Hold a call's cost in every account, each with its estimate, or in none.

    Accounts are asked in turn: one that refuses gives the earlier ones theirs back.
    """
    held: list[Taken] = []
    for position, (account, estimate) in enumerate(
        zip(accounts, estimates, strict=True)
    ):
        taken = account.take(estimate, anyway=anyway)
        if isinstance(taken, Refused):
            cancel_all(accounts, held)
            return replace(taken, position=position)
        held.append(taken)
    return held


def settle_all(
    accounts: Iterable[Account], held: Iterable[Taken], outcome: Outcome
) -> None:
    """Settle a call in the accounts that it was taken from, in their order."""
    for account, taken in zip(accounts, held, strict=False):
        account.settle(taken, outcome)


def cancel_all(accounts: Iterable[Account], held: Iterable[Taken]) -> None:
    """Give back what a call held in the accounts that it was taken from."""
    for account, taken in zip(accounts, held, strict=False):
        account.cancel(taken)
