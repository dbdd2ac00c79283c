"""Reads answers of SDKs, whether they are models or plain JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from farthing.economics.usage import TokenBuckets

Value = str | bool | int | float


@dataclass(slots=True)
class Seen:
    """What is known of an answer so far.

    `attributes` is what the span is to say besides what the official instrumentation
    says, `raw_usage` what a reader keeps of parts of the usage, by the provider's name.
    A reader sets `is_whole` with the event after which no more usage comes: a stream
    that is left after it was not left early.
    """

    usage: TokenBuckets | None = None
    model: str = ""
    response_id: str = ""
    attributes: dict[str, Value] = field(default_factory=dict)
    reply: list[str] = field(default_factory=list)
    raw_usage: dict[str, Any] = field(default_factory=dict)
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Api:
    """How one API of a provider answers: whole, and event by event."""

    operation: str
    answered: Callable[[Any, Seen], None]
    heard: Callable[[Any, Seen], None]
    is_told_elsewhere: bool = True
    """Whether the official instrumentation has a span for it."""


def get(of: Any, *path: str) -> Any:
    """The value at `path`, through mappings and attributes; None where it ends."""
    for name in path:
        if of is None:
            return None
        of = of.get(name) if isinstance(of, dict) else getattr(of, name, None)
    return of


def count(of: Any, *path: str) -> int:
    """A count at `path`; 0 where there is none."""
    value = get(of, *path)
    return value if isinstance(value, int) and value > 0 else 0


def text(of: Any, *path: str) -> str:
    """A text at `path`; empty where there is none."""
    value = get(of, *path)
    return value if isinstance(value, str) else ""


def without(total: int, *parts: int) -> int:
    """What is left of a total that includes its parts; never below zero."""
    return max(total - sum(parts), 0)
