"""For whom work is done, in OpenTelemetry's context under a key of our own.

A private key, not baggage: some SDKs send baggage to their provider.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from opentelemetry import context as otel
from opentelemetry import trace

from farthing import semconv

AGENT: Final = "gen_ai.agent.name"
CARRIED: Final[tuple[str, ...]] = (
    semconv.TASK_TYPE,
    semconv.TASK_ID,
    semconv.STEP_NAME,
    semconv.BUSINESS_UNIT,
    semconv.TEAM,
    semconv.USER,
)
"""Tags that follow the work into other processes; the agent's name stays in its own."""

_KEY: Final = otel.create_key("farthing.tags")
SPAN: Final = next(iter(trace.set_span_in_context(trace.INVALID_SPAN, otel.Context())))
"""Where a context has its current span, for those who ask it at each call of a model:
OpenTelemetry's own way takes four functions."""


@dataclass(frozen=True, eq=False)
class Tags:
    """Attributes by name; an empty value hides what the process says of that name.

    `is_handed_over`: the run is another process's, for which this is done. Compared
    by identity, so that what is made of them can be kept.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    is_handed_over: bool = False

    def having(self, values: Mapping[str, str]) -> Tags:
        """These tags, with those of `values` that are not empty in their place."""
        new = {name: value for name, value in values.items() if value}
        return Tags({**self.values, **new}, is_handed_over=self.is_handed_over)


_NONE: Final = Tags()
_process: Tags = _NONE


def set_process_tags(values: Mapping[str, str]) -> None:
    """Tags of everything in this process that has none of its own.

    With a task's id the process works for that run: it was handed over.
    """
    global _process
    _process = Tags(values, is_handed_over=semconv.TASK_ID in values)


def process_run_id() -> str:
    """The id of the run that this process is, where nothing names one; each forked
    child has its own."""
    return f"{_RANDOM}-{os.getpid()}"


_RANDOM: Final = os.urandom(8).hex()
"""Made at once: threads that made it at their first calls might make two."""


def own_tags(context: otel.Context | None = None) -> Tags:
    """What code or a caller gave to `context`, the current one if none is given."""
    found = otel.get_value(_KEY, context)
    return found if isinstance(found, Tags) else _NONE


def with_tags(tags: Tags, context: otel.Context | None = None) -> otel.Context:
    """`context` with `tags` in it."""
    return otel.set_value(_KEY, tags, context)


def said_tags(context: otel.Context | None = None) -> Mapping[str, str]:
    """What code or a caller gave, else what the environment says; not to be changed."""
    here = otel.get_current() if context is None else context
    found = here.get(_KEY)  # as own_tags: each span pays for a function less
    return _merged(_process, found if isinstance(found, Tags) else _NONE)


@lru_cache(maxsize=256)
def _merged(process: Tags, own: Tags) -> Mapping[str, str]:
    known = {**process.values, **own.values}
    return {name: value for name, value in known.items() if value}


def carried_tags(context: otel.Context | None = None) -> dict[str, str]:
    """What is to follow the work into another process."""
    said = said_tags(context)
    return {name: said[name] for name in CARRIED if name in said}


def is_handed_over(context: otel.Context | None = None) -> bool:
    """Whether the run that this is done for came from another process."""
    own = own_tags(context)
    return (
        own.is_handed_over if semconv.TASK_ID in own.values else _process.is_handed_over
    )
