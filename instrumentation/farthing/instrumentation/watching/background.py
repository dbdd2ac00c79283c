"""Responses that run in the background: their usage is told when they are fetched."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from farthing.instrumentation.calls import ModelCall
from farthing.instrumentation.watching import spans
from farthing.instrumentation.watching.once import Once
from farthing.instrumentation.watching.reading import Seen, get, text

_PATH: Final = "/responses/"
_NS: Final = 1_000_000_000


class Background:
    """Writes a span for a background response that is done, once per id.

    The span of `create` has the same response id and no usage: the ledger makes the two
    one call. It lasts from the creation, so that they are found to belong together.
    """

    def __init__(self, read: Callable[[Any, Seen], None]) -> None:
        self._read = read
        self._told = Once()

    def fetched(self, path: str, answer: Any) -> None:
        """Told what was fetched with GET."""
        if not path.startswith(_PATH) or "/" in path.removeprefix(_PATH):
            return
        if get(answer, "background") is not True or get(answer, "usage") is None:
            return
        if self._told.is_new(text(answer, "id")):
            self._tell(answer)

    def _tell(self, answer: Any) -> None:
        seen = Seen()
        self._read(answer, seen)
        call = ModelCall(
            library="openai",
            provider="openai",
            operation="chat",
            model=seen.model,
            host="",
            is_streamed=False,
            request={},
        )
        created_ns = int(float(get(answer, "created_at") or time.time()) * _NS)
        tier = text(answer, "service_tier")
        said = {"openai.response.service_tier": tier} if tier else {}
        span = spans.started(call, {**said, **seen.attributes}, start_ns=created_ns)
        spans.end(span, seen)
