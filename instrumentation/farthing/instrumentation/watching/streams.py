"""The events of a stream, told to its watch as the application reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from farthing.instrumentation.watching import dropped
from farthing.instrumentation.watching.call import Watch
from farthing.instrumentation.watching.quietly import quietly


class Heard:
    """A stream's events. No generator: one that never began cannot tell of its end."""

    def __init__(self, events: Iterator[Any], watch: Watch) -> None:
        self._events = events
        self._watch = watch
        self._hear = watch.answer.hear
        quietly(watch.opened)
        quietly(dropped.follow, self, watch)

    def __iter__(self) -> Heard:
        return self

    def __next__(self) -> Any:
        try:
            event = next(self._events)
        except StopIteration:
            quietly(self._watch.finished)
            raise
        except BaseException as error:
            quietly(self._watch.left, error)
            raise
        quietly(self._hear, event)
        return event

    def close(self) -> None:
        """Nobody will read on."""
        quietly(self._watch.left)
        close = getattr(self._events, "close", None)
        if close is not None:
            close()


class HeardAsync:
    """The same for a stream that is read with `async for`."""

    def __init__(self, events: AsyncIterator[Any], watch: Watch) -> None:
        self._events = events
        self._watch = watch
        self._hear = watch.answer.hear
        quietly(watch.opened)
        quietly(dropped.follow, self, watch)

    def __aiter__(self) -> HeardAsync:
        return self

    async def __anext__(self) -> Any:
        try:
            event = await anext(self._events)
        except StopAsyncIteration:
            quietly(self._watch.finished)
            raise
        except BaseException as error:
            quietly(self._watch.left, error)
            raise
        quietly(self._hear, event)
        return event

    async def aclose(self) -> None:
        """Nobody will read on."""
        quietly(self._watch.left)
        aclose = getattr(self._events, "aclose", None)
        if aclose is not None:
            await aclose()
