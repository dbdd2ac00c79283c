"""What came back for one model call, and what its span is to say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from farthing import semconv
from farthing.instrumentation.calls import Ended, ModelCall, Observer, Patient
from farthing.instrumentation.watching.quietly import quietly
from farthing.instrumentation.watching.reading import Api, Seen, Value

_STATE: Final = semconv.USAGE_STATE


class Answer:
    """An answer that is `whole`, or a stream as far as it was heard; read when that is
    first asked for. Holds nothing of the request: it waits until the span is exported,
    and conversations are long."""

    __slots__ = ("_api", "_seen", "is_finished", "is_heard", "is_opened", "whole")

    def __init__(self, api: Api) -> None:
        self._api = api
        self._seen: Seen | None = None
        self.whole: Any = None
        self.is_opened = False
        self.is_heard = False
        self.is_finished = False

    def hear(self, event: Any) -> None:
        """An event of a stream."""
        self.is_heard = True
        self._api.heard(event, self._seen or self.see())

    def see(self) -> Seen:
        """What is known of it by now."""
        if self._seen is None:
            self._seen = seen = Seen()
            if self.whole is not None:
                quietly(self._api.answered, self.whole, seen)
        return self._seen

    @property
    def attributes(self) -> Mapping[str, Value]:
        """What the span is to say, besides what the official instrumentation says."""
        seen = self.see()
        if not self.is_opened:
            return seen.attributes
        named = {"gen_ai.response.id": seen.response_id} if seen.response_id else {}
        return {**named, **seen.attributes, _STATE: self._state(seen)}

    def _state(self, seen: Seen) -> str:
        if self.is_finished or seen.is_whole:
            return semconv.USAGE_COMPLETE
        return semconv.USAGE_PARTIAL if self.is_heard else semconv.USAGE_MISSING


class Telling:
    """What observers who wait have to say of a call."""

    __slots__ = ("_make", "_observers", "ended")

    def __init__(
        self, make: Callable[[], ModelCall], observers: Sequence[Observer]
    ) -> None:
        self._make = make
        self._observers = observers
        self.ended: Ended | None = None

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What the span is to say besides."""
        call, ended = self._make(), self.ended or Ended()
        found: dict[str, Any] = {}
        for observer in self._observers:
            assert isinstance(observer, Patient)
            found.update(observer.attributes(call, ended))
        return found
