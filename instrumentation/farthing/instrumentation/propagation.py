"""Tags in a header of our own, between services of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)

from farthing import semconv
from farthing.instrumentation.context import (
    CARRIED,
    Tags,
    carried_tags,
    own_tags,
    with_tags,
)
from farthing.instrumentation.hosts import Surroundings, host_of, may_be_told
from farthing.instrumentation.isolate import attempt
from farthing.instrumentation.settings import tag_value

HEADER: Final = "farthing-tags"
_LONGEST_HEADER: Final = 4096
_RUN: Final = (semconv.TASK_TYPE, semconv.TASK_ID, semconv.STEP_NAME)


class TagPropagator(TextMapPropagator):
    """Reads the tags that a caller sent, and sends ours where they may go.

    Where a request goes is known from the client's span, which instrumentations of HTTP
    clients make before they inject; without one nothing is sent.
    """

    def __init__(self, surroundings: Surroundings, allowed: tuple[str, ...]) -> None:
        self._surroundings = surroundings
        self._allowed = allowed

    def inject(
        self,
        carrier: CarrierT,
        context: otel.Context | None = None,
        setter: Setter[CarrierT] = default_setter,
    ) -> None:
        """Set the header in `carrier`, if the request goes where tags may go."""
        attempt("send tags", self._inject, carrier, context, setter)

    def extract(
        self,
        carrier: CarrierT,
        context: otel.Context | None = None,
        getter: Getter[CarrierT] = default_getter,
    ) -> otel.Context:
        """`context` with the tags in `carrier`."""
        found = attempt("read a caller's tags", self._extract, carrier, context, getter)
        return found or (otel.get_current() if context is None else context)

    @property
    def fields(self) -> set[str]:
        """The header that is set."""
        return {HEADER}

    def _inject(
        self, carrier: CarrierT, context: otel.Context | None, setter: Setter[CarrierT]
    ) -> None:
        span: Any = trace.get_current_span(context)
        said = getattr(span, "attributes", None)  # only one that records has them
        if said is None or self._surroundings.is_model_call(span):
            return
        if may_be_told(host_of(said), self._allowed):
            header = encode(carried_tags(context))
            if header:
                setter.set(carrier, HEADER, header)

    def _extract(
        self, carrier: CarrierT, context: otel.Context | None, getter: Getter[CarrierT]
    ) -> otel.Context | None:
        [header, *_] = getter.get(carrier, HEADER) or [""]
        told = decode(header)
        return with_tags(handed_over(told), context) if told else None


def headers() -> dict[str, str]:
    """The current tags as headers, for a request to a service of one's own that no
    instrumentation makes; `{}` if there are none."""
    header = attempt("write tags down", lambda: encode(carried_tags()))
    return {HEADER: header} if header else {}


def handed_over(told: Mapping[str, str]) -> Tags:
    """The tags of work for a caller: its run in place of the process's own."""
    if not any(told.get(name) for name in _RUN[:2]):
        return own_tags().having(told)
    run = dict.fromkeys(_RUN, "")
    return Tags({**run, **told}, is_handed_over=semconv.TASK_ID in told)


def encode(tags: Mapping[str, str]) -> str:
    """`farthing.task.type=code-review,…`, values percent-encoded."""
    return ",".join(f"{name}={quote(value, safe='')}" for name, value in tags.items())


def decode(header: str) -> dict[str, str]:
    """The tags in a header; what is no tag of ours is left out."""
    if len(header) > _LONGEST_HEADER:
        return {}
    pairs = (part.strip().partition("=") for part in header.split(","))
    return {
        name: value
        for name, _, text in pairs
        if name in CARRIED and (value := _value(text))
    }


def _value(text: str) -> str:
    try:
        return tag_value(unquote(text))
    except ValueError:
        return ""
