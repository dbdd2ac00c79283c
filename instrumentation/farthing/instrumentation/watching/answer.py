"""What came back for one model call, and what its span is to say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from farthing import semconv
from farthing.instrumentation.calls import Ended, ModelCall, Observer, Patient
from farthing.instrumentation.watching.quietly import quietly
from farthing.instrumentation.watching.reading import Api, Seen

_STATE: Final = semconv.USAGE_STATE


class Answer:
    """An answer that is `whole`, or a stream as far as it was heard, and how it ended;
    read when that is first asked for.

    `late` are observers who wait until the span is exported, and what makes the call
    that they are then told of. Until then, and only with them, the request is held.
    """

    __slots__ = (
        "_api",
        "_seen",
        "error",
        "is_complete",
        "is_finished",
        "is_heard",
        "is_opened",
        "late",
        "whole",
    )

    def __init__(self, api: Api) -> None:
        self._api = api
        self._seen: Seen | None = None
        self.whole: Any = None
        self.late: tuple[Callable[[], ModelCall], Sequence[Observer]] | None = None
        self.error: BaseException | None = None
        self.is_opened = self.is_heard = self.is_finished = False
        self.is_complete = True

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

    def ended(self) -> Ended:
        """What observers are told of it."""
        return Ended(self.see, self.is_complete, self.error, self.whole)

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What the span is to say, besides what the official instrumentation says."""
        seen = self.see()
        found: dict[str, Any] = dict(seen.attributes)
        if self.is_opened:
            if seen.response_id:
                found.setdefault("gen_ai.response.id", seen.response_id)
            found[_STATE] = self._state(seen)
        if self.late is not None:
            quietly(self._tell_late, *self.late, found)
        return found

    def _tell_late(
        self,
        make: Callable[[], ModelCall],
        observers: Sequence[Observer],
        found: dict[str, Any],
    ) -> None:
        """Add what the observers who waited have to say."""
        call, ended = make(), self.ended()
        for observer in observers:
            assert isinstance(observer, Patient)
            found.update(observer.attributes(call, ended))

    def _state(self, seen: Seen) -> str:
        if self.is_finished or seen.is_whole:
            return semconv.USAGE_COMPLETE
        return semconv.USAGE_PARTIAL if self.is_heard else semconv.USAGE_MISSING
