"""Streams of other makes: a stand-in for one, whose events are watched."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import wrapt

from farthing.instrumentation.watching.call import Watch
from farthing.instrumentation.watching.quietly import quietly
from farthing.instrumentation.watching.streams import Heard, HeardAsync

if TYPE_CHECKING:
    _Proxy = wrapt.ObjectProxy[Any]
else:
    _Proxy = wrapt.ObjectProxy

Hide = Callable[[Any], bool]


def nothing(_event: Any) -> bool:
    """Hide no event."""
    return False


class Events(_Proxy):
    """A stream whose events are told to a watch; those to `hide` end here."""

    def __init__(self, stream: Any, watch: Watch, *, hide: Hide = nothing) -> None:
        super().__init__(stream)
        self._self_watch = watch
        events = Heard(iter(stream), watch)
        self._self_events = (event for event in events if not hide(event))

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return next(self._self_events)

    def close(self) -> Any:
        quietly(self._self_watch.left)
        return self.__wrapped__.close()


class EventsAsync(_Proxy):
    """The same for a stream that is read with `async for`."""

    def __init__(self, stream: Any, watch: Watch, *, hide: Hide = nothing) -> None:
        super().__init__(stream)
        self._self_watch = watch
        events = HeardAsync(aiter(stream), watch)
        self._self_events = (event async for event in events if not hide(event))

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> Any:
        return await anext(self._self_events)
