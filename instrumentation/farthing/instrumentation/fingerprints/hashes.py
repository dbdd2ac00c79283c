"""Fingerprints under a key: equal texts have equal ones, and nobody can tell of what.

The key is the installation's own (`key.py`), so a guessed text cannot be looked up in
somebody else's ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from farthing.instrumentation.fingerprints.failure import (
    is_failure,
    is_refusal,
    signature,
)
from farthing.instrumentation.fingerprints.normalise import (
    canonical_arguments,
    normalised,
    shape,
    text_of,
)

MOST_WORDS: Final = 64
"""Words that a similarity hash is made of; of a long text half from its beginning, half
from its end. At most 128, or the lanes of `Hasher.similar` run over."""

_LANES: Final = 64
_EVEN = int.from_bytes(b"\x00\xff" * (_LANES // 2), "big")
_ONES = int.from_bytes(b"\x00\x01" * _LANES, "big")
_HALF = 1 << 15
_SIGNS = b"0" * 128 + b"1" * 128
_TWICE_MEAN = 255
"""Twice the mean of a random byte."""
_MOST_COMPARED = 1_000
"""Characters from each end of a text that hold the words that are compared."""
_FEW_WORDS = 8
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
    retryable: str = ""


class Output(NamedTuple):
    """What a tool returned, as a text that nobody can change; `failed` is None where
    only the text can say whether it is an error."""

    text: str
    failed: bool | None = None

    @classmethod
    def of(cls, result: Any, *, is_error: bool | None = None) -> Output:
        """`is_error` is what the framework said, None where it said nothing."""
        text = text_of(result)
        if is_error:
            return cls(text, failed=True)
        if isinstance(result, Mapping):
            return cls(text, is_failure(text, content=result))
        return cls(text)


NO_ARGUMENTS: Final = ("",) * 4
"""The `args_` fields of a call of whose arguments nothing is known."""


class Hasher:
    """Makes fingerprints under one key. Threads may share one."""

    def __init__(self, key: bytes) -> None:
        self._key = blake2b(key, digest_size=32).digest()
        self._words: dict[str, int] = {}

    def hash(self, text: str) -> str:
        """16 hex digits that equal texts share."""
        data = text.encode(errors="surrogatepass")
        return blake2b(data, digest_size=8, key=self._key).hexdigest()

    def similar(self, text: str) -> str:
        """A 64-bit similarity hash as 16 hex digits: texts that share most of their
        words have hashes that share most of their bits.

        Each word is hashed to 64 random bytes; a bit says whether the sum of its lane
        over all words is above the mean (Charikar 2002, with uniform projections). All
        lanes are added at once, as one integer of 64 lanes of 16 bits.
        """
        words = _features(text)
        known = self._words
        total = sum([known.get(word) or self._lanes(word) for word in words])
        mean = _TWICE_MEAN * len(words) // 2
        above = total + (_HALF - 1 - mean) * _ONES  # bit 15 of each lane above the mean
        signs = above.to_bytes(2 * _LANES, "big")[::2].translate(_SIGNS)
        return f"{int(signs, 2):016x}"

    def tool(
        self, name: str, arguments: Any, result: Any, *, is_error: bool | None = None
    ) -> ToolPrint:
        """The fingerprints of a finished tool call. `arguments` is None where nobody
        knows them; `is_error` what the framework said, None where it said nothing."""
        asked = NO_ARGUMENTS if arguments is None else self.arguments(name, arguments)
        output = Output.of(result, is_error=is_error)
        return ToolPrint(*asked, *self.ended(name, output))

    def arguments(self, name: str, arguments: Any) -> tuple[str, ...]:
        """The `args_` fields of a ToolPrint."""
        asked = canonical_arguments(arguments)
        return (
            self.hash(asked),
            self.hash(f"{name}\0{normalised(asked)}"),
            str(len(asked)),
            self.similar(asked),
        )

    def ended(self, name: str, output: Output) -> tuple[str, ...]:
        """The fields of a ToolPrint after the arguments'."""
        text, failed = output
        if failed is None:
            failed = is_failure(text)
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
            "true" if failed and is_refusal(text) else "",
        )

    def _lanes(self, word: str) -> int:
        """A word's 64 random bytes, each in a lane of 16 bits."""
        data = word.encode(errors="surrogatepass")
        digest = blake2b(data, digest_size=_LANES, key=self._key).digest()
        number = int.from_bytes(digest, "big")
        made = (number >> 8 & _EVEN) << 8 * _LANES | number & _EVEN
        if len(self._words) >= _MOST_REMEMBERED:
            self._words.clear()
        self._words[word] = made
        return made


def _features(text: str) -> list[str]:
    """The words that a text is compared by; of a text with few, runs of letters."""
    if len(text) > _MOST_COMPARED:
        half = MOST_WORDS // 2
        first = text[:_MOST_COMPARED].lower().split(None, half)
        last = text[-_MOST_COMPARED:].lower().rsplit(None, half)
        return first[:half] + last[-half:]
    lowered = text.lower()
    words = lowered.split(None, MOST_WORDS)
    if len(words) < _FEW_WORDS:
        return [lowered[at : at + 4] for at in range(min(len(lowered), MOST_WORDS))]
    return words[:MOST_WORDS]


def _told(flag: object) -> str:
    return "true" if flag else "false"
