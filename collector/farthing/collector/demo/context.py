"""What an agent sends with each turn, and how much of it the provider still has."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from farthing.collector.demo.tell import Tokens

if TYPE_CHECKING:
    from farthing.collector.demo.models import Cache, Model

_BLOCK: Final = 128  # caches that nobody asked for keep whole blocks
_TAIL: Final = 12  # behind the last mark: never written to the cache


@dataclass(slots=True)
class Context:
    """An agent's conversation so far, in tokens.

    `cached_tokens` of it were with the provider at `cached_at_s`.
    """

    model: Model
    tokens: int
    cached_tokens: int = 0
    cached_at_s: float = 0.0

    def ask(self, *, visible: int, reasoning: int, rng: random.Random) -> Tokens:
        """One call at a warm cache's best; its answer is added to the context.

        Reasoning is billed and not kept.
        """
        asked = self.tokens
        read, write = self._through_cache(rng)
        self.tokens += visible
        return Tokens(
            input=asked,
            output=visible + reasoning,
            cache_read=read,
            cache_write=write,
            reasoning=reasoning,
        )

    def let_cache_cool(self, now_s: float) -> None:
        """Forget what the provider has forgotten by `now_s`; call it before `ask`."""
        cache = self.model.cache
        if cache is not None and now_s - self.cached_at_s > cache.ttl_s:
            self.cached_tokens = 0
        self.cached_at_s = now_s

    def compact(self, *, kept: int, summary: int) -> None:
        """Go on with `summary` tokens behind the first `kept` ones."""
        self.tokens = kept + summary
        self.cached_tokens = min(self.cached_tokens, kept)

    def _through_cache(self, rng: random.Random) -> tuple[int, int]:
        """Tokens read from the cache and written to it; remembers what is there now."""
        cache = self.model.cache
        if cache is None or self.tokens < cache.min_tokens:
            return 0, 0
        is_hit = rng.random() < cache.hit_share
        read = self.cached_tokens if is_hit else 0
        self.cached_tokens = _stored(self.tokens, cache)
        write = self.cached_tokens - read if cache.tells_writes else 0
        return read, max(write, 0)


def _stored(tokens: int, cache: Cache) -> int:
    return tokens - _TAIL if cache.tells_writes else tokens // _BLOCK * _BLOCK
