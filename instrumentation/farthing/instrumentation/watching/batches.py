"""Results of message batches, where the SDK hands them over: a span for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from farthing import semconv
from farthing.instrumentation.calls import ModelCall
from farthing.instrumentation.watching import spans
from farthing.instrumentation.watching.once import Once
from farthing.instrumentation.watching.quietly import quietly
from farthing.instrumentation.watching.reading import Seen, get, text


class Batches:
    """Watches the results of batches: who fetches them again counts nothing twice."""

    def __init__(
        self, library: str, provider: str, read: Callable[[Any, Seen], None]
    ) -> None:
        self._library = library
        self._provider = provider
        self._read = read
        self._told = Once()

    def fetched(self, path: str, answer: Any) -> None:
        """Told what was fetched with GET: results are read line by line."""
        if "/batches/" in path and path.endswith("/results"):
            lines = answer._iterator  # noqa: SLF001
            is_async = hasattr(answer, "__aiter__")
            watched = self._lines_async(lines) if is_async else self._lines(lines)
            answer._iterator = watched  # noqa: SLF001

    def _lines(self, lines: Iterator[Any]) -> Iterator[Any]:
        for line in lines:
            quietly(self._tell, line)
            yield line

    async def _lines_async(self, lines: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for line in lines:
            quietly(self._tell, line)
            yield line

    def _tell(self, line: Any) -> None:
        message = get(line, "result", "message")
        if not self._told.is_new(text(message, "id")):
            return
        seen = Seen()
        self._read(message, seen)
        call = ModelCall(
            library=self._library,
            provider=self._provider,
            operation="chat",
            model=seen.model,
            host="",
            is_streamed=False,
            request={},
        )
        # Its tier says `batch` as well: one word for it is enough.
        said = {k: v for k, v in seen.attributes.items() if not k.endswith("tier")}
        spans.end(spans.started(call, {**said, semconv.BATCH: True}), seen)
