"""`outcome`: what a run achieved, for the ledger to set against what it cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from opentelemetry import trace

from farthing import semconv
from farthing.instrumentation.isolate import attempt

OUTCOME: Final = "outcome"
"""The operation by which the ledger knows an outcome's span."""

_TRACER: Final = "farthing.instrumentation"


def outcome(name: str, *, value: Decimal | float | None = None) -> None:
    """Record that the current run achieved `name`, as in "pr_merged"; never raises.

    `value` is what it is worth or how much of it there is, in a unit of your own. None
    is not zero but unknown; what is not a finite number is refused, in the log. Becomes
    a span of the current trace with the run's tags, and a row of `outcomes`.
    """
    attempt("record an outcome", _record, name, value)


def _record(name: str, value: Decimal | float | None) -> None:
    attributes = {"gen_ai.operation.name": OUTCOME, semconv.OUTCOME_NAME: str(name)}
    if value is not None:
        attributes[semconv.OUTCOME_VALUE] = _plain(value)
    tracer = trace.get_tracer(_TRACER)
    tracer.start_span(f"outcome {name}", attributes=attributes).end()


def _plain(value: Decimal | float) -> str:
    """The number in digits, without an exponent; raises ValueError if there is none."""
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError(f"an outcome's value must be a finite number, not {value!r}")
    return f"{number:f}"
