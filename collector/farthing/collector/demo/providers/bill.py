"""What the stand-in charged: an item per request that it worked on."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass, replace
from typing import Any

from farthing.economics.usage import TokenBuckets


@dataclass(slots=True)
class Item:
    """One request that is billed.

    `state` is `complete`, `cut` (the stream ended early: output is what was sent by
    then) or `unheard` (nobody was there to hear the answer, or it was never fetched).
    `case` is the prompt's word for it.
    """

    provider: str
    api: str
    model: str
    response_id: str
    buckets: TokenBuckets
    state: str = "complete"
    web_searches: int = 0
    batch: bool = False
    tier: str = ""
    case: str = ""

    def merge_reasoning(self) -> None:
        """Of an answer that does not tell thoughts from words: they cost the same."""
        output = self.buckets.output + self.buckets.reasoning
        self.buckets = replace(self.buckets, output=output, reasoning=0)

    def output_so_far(self, words: int) -> None:
        """Charge the words that were sent, a token each."""
        self.buckets = replace(self.buckets, output=words, reasoning=0, output_audio=0)


MOST_REQUESTS = 256


class Bill:
    """All items, how often each request was tried, and the newest requests' bodies."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.attempts: Counter[str] = Counter()
        self.stored: dict[str, Any] = {}
        self.requests: deque[dict[str, Any]] = deque(maxlen=MOST_REQUESTS)
        self._numbers = 0

    def number(self) -> int:
        """The next number: no two answers have the same id and usage."""
        self._numbers += 1
        return self._numbers

    def add(self, item: Item) -> Item:
        self.items.append(item)
        return item

    def case_of(self, text: str) -> str:
        """The case of a request that hands something back of an earlier answer."""
        named = (i.case for i in reversed(self.items) if i.response_id in text)
        return next(filter(None, named), "")

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(item) for item in self.items]

    def clear(self) -> None:
        """Forget the items and the attempts; numbers go on."""
        self.items.clear()
        self.attempts.clear()
        self.requests.clear()
