"""Channels that write down what they are sent, and time that passes step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from farthing.alerts.alert import Alert, Notice
from farthing.alerts.channel import Channel, Opened, Rate, Reference
from farthing.alerts.destination import Destination, Surroundings
from farthing.alerts.outbox import SqliteOutbox
from tests.alerts.delivery.notices import FakeClock


@dataclass
class Book:
    """A channel that writes down what it is sent, after failing as it is told."""

    errors: list[Exception | None] = field(default_factory=list)
    sent: list[Notice] = field(default_factory=list)
    reposted: list[Sequence[Alert]] = field(default_factory=list)

    def send(self, one: Notice, reference: Reference) -> Reference:
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        self.sent.append(one)
        return {"before": reference.get("told", "")}

    def close(self) -> None:
        pass


@dataclass
class Forgetful(Book):
    """One that wants to hear of what fires every minute."""

    repost_every_s: float = 60

    def repost(self, alerts: Sequence[Alert]) -> None:
        self.reposted.append(alerts)


def opened(channel: Channel, *, name: str = "c", **more: Any) -> Opened:
    return Opened(name, channel, **({"rate": Rate(1000, burst=1000)} | more))


@dataclass
class Run:
    """Destinations, stepped by hand until there is nothing to do for a while."""

    outbox: SqliteOutbox
    clock: FakeClock
    outcomes: list[tuple[str, str]] = field(default_factory=list)

    def destination(self, one: Opened) -> Destination:
        return Destination(one, self.surroundings())

    def surroundings(self) -> Surroundings:
        return Surroundings(
            self.outbox,
            self.clock,
            lambda name, what: self.outcomes.append((name, what)),
        )

    def for_s(self, seconds: float, *destinations: Destination) -> None:
        """Let so much time pass, each destination doing what it can."""
        end = self.clock.now.timestamp() + seconds
        while True:
            waits = [self._work(one) for one in destinations]
            left = end - self.clock.now.timestamp()
            if left <= 0:
                return
            self.clock.move(max(min(*waits, left), 1e-3))

    def _work(self, destination: Destination) -> float:
        while not (wait_s := destination.step()):
            pass
        return wait_s
