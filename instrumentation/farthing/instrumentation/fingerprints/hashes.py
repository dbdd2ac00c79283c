"""Fingerprints under a key: equal texts have equal ones, and nobody can tell of what.

The key is the installation's own (`key.py`), so a guessed text cannot be looked up in
somebody else's ledger.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from struct import Struct
from typing import Any, Final, NamedTuple

from farthing.instrumentation.fingerprints.failure import is_failure, signature
from farthing.instrumentation.fingerprints.normalise import (
    canonical_arguments,
    normalised,
    shape,
    text_of,
)

MOST_WORDS: Final = 128
"""Words that a similarity hash is made of: half from the beginning, half from the end.
At most 257, or the lanes of `Hasher.similar` run over."""

_LANES: Final = 64
_EVEN = int.from_bytes(b"\x00\xff" * (_LANES // 2), "big")
_SIXTEEN_BITS = Struct(f">{_LANES}H")
_HALF = 255
"""Twice the mean of a random byte."""
_MOST_REMEMBERED = 4_096
_EMPTY = frozenset(("", "null", "none", "[]", "{}", "undefined", '""', "''"))


class ToolPrint(NamedTuple):
    """Fingerprints of one tool call, in the order of `semconv.STEP_FIELDS`.

    Texts, as they go into attributes; "" is "not known".
    """

    args_hash: str = ""
    args_norm_hash: str = ""
    args_len: str = ""
    args_simhash: str = ""
    result_hash: str = ""
    result_norm_hash: str = ""
    result_shape_hash: str = ""
    result_len: str = ""
    result_simhash: str = ""
    empty: str = ""
    error: str = ""
    err_sig_hash: str = ""


NO_ARGUMENTS: Final = ("",) * 4
"""The `args_` fields of a call of whose arguments nothing is known."""


class Hasher:
    """Makes fingerprints under one key. Threads may share one."""

    def __init__(self, key: bytes) -> None:
        self._key = blake2b(key, digest_size=32).digest()
        self._words: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def hash(self, text: str) -> str:
        """16 hex digits that equal texts share."""
        data = text.encode(errors="surrogatepass")
        return blake2b(data, digest_size=8, key=self._key).hexdigest()

    def similar(self, text: str) -> str:
        """A 64-bit similarity hash as 16 hex digits: texts that share most of their
        words have hashes that share most of their bits.

        Each word is hashed to 64 random bytes; a bit says whether the sum of its lane
        over all words is above the mean (Charikar 2002, with uniform projections). All
        lanes are added at once, as two integers of 32 lanes of 16 bits.
        """
        words = _features(text)
        even = odd = 0
        for word in words:
            high, low = self._lanes(word)
            even += high
            odd += low
        mean = _HALF * len(words) // 2
        lanes = even.to_bytes(_LANES, "big") + odd.to_bytes(_LANES, "big")
        signs = ("1" if lane > mean else "0" for lane in _SIXTEEN_BITS.unpack(lanes))
        return f"{int(''.join(signs), 2):016x}"

    def tool(
        self, name: str, arguments: Any, result: Any, *, is_error: bool | None = None
    ) -> ToolPrint:
        """The fingerprints of a finished tool call. `arguments` is None where nobody
        knows them; `is_error` what the framework said, None where it said nothing."""
        asked = NO_ARGUMENTS if arguments is None else self.arguments(name, arguments)
        return ToolPrint(*asked, *self.result(name, result, is_error=is_error))

    def arguments(self, name: str, arguments: Any) -> tuple[str, ...]:
        """The `args_` fields of a ToolPrint."""
        asked = canonical_arguments(arguments)
        return (
            self.hash(asked),
            self.hash(f"{name}\0{normalised(asked)}"),
            str(len(asked)),
            self.similar(asked),
        )

    def result(
        self, name: str, result: Any, *, is_error: bool | None = None
    ) -> tuple[str, ...]:
        """The fields of a ToolPrint after the arguments'."""
        text = text_of(result)
        failed = bool(is_error) or is_failure(text, content=result)
        plain = shape(text)
        return (
            self.hash(text),
            self.hash(normalised(text)),
            self.hash(plain) if plain else "",
            str(len(text)),
            self.similar(text),
            _told(len(text) < 80 and text.strip().lower() in _EMPTY),
            _told(failed),
            self.hash(f"{name}\0{signature(text)}") if failed else "",
        )

    def _lanes(self, word: str) -> tuple[int, int]:
        known = self._words.get(word)
        if known is None:
            data = word.encode(errors="surrogatepass")
            digest = blake2b(data, digest_size=_LANES, key=self._key).digest()
            number = int.from_bytes(digest, "big")
            known = (number >> 8) & _EVEN, number & _EVEN
            if len(self._words) >= _MOST_REMEMBERED:
                self._words.clear()
            self._words[word] = known
        return known


def _features(text: str) -> list[str]:
    """The words that a text is compared by; of a text with few, runs of letters."""
    lowered = text[:2_000].lower()
    words = lowered.split()
    if len(text) > 2_000:
        half = MOST_WORDS // 2
        return words[:half] + text[-2_000:].lower().split()[-half:]
    if len(words) < 8:
        return [lowered[at : at + 4] for at in range(min(len(lowered), MOST_WORDS))]
    return words[:MOST_WORDS]


def _told(flag: object) -> str:
    return "true" if flag else "false"
