"""Where an INSERT ends and its data begins.

Over HTTP both come as one text. The engine is given them apart, since inline data that
is binary would be searched for further statements.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    rb"""(?P<skip>\s+ | --[^\n]* | /\*.*?\*/)
       | (?P<quoted>'(?:[^'\\]|\\.)*' | `(?:[^`\\]|\\.)*` | "(?:[^"\\]|\\.)*")
       | (?P<word>[A-Za-z_]\w*)
       | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
# A statement of this kind carries its data in itself or has none, but for a SELECT
# that reads input().
_WITHOUT_DATA = frozenset({b"WITH", b"VALUES", b"INFILE", b"WATCH"})
_HEAD_BYTES = 256 * 1024
_BEFORE_DATA = re.compile(rb"[ \t\f]*(?:\r?\n)?")


@dataclass(frozen=True)
class Insert:
    """`head` is `INSERT INTO t (a, b) SETTINGS ...`, `data` is encoded in `format`.

    With `reads_input`, the head goes on with a SELECT that reads the data by `input()`.
    """

    head: str
    format: str
    data: memoryview
    reads_input: bool = False


def split_insert(body: bytes) -> Insert | None:
    """The parts of `INSERT ... FORMAT name` and its data; None for any other text."""
    words = 0
    depth = 0
    format_start = None
    selects = reads_input = False
    for token in _TOKEN.finditer(body[:_HEAD_BYTES]):
        if token["word"] is None:
            depth += (token["other"] == b"(") - (token["other"] == b")")
            continue
        word = token["word"].upper()
        words += 1
        if format_start is not None:
            if selects and not reads_input:
                return None
            return _insert(body, format_start, name=token, reads_input=reads_input)
        selects |= word == b"SELECT"
        reads_input |= word == b"INPUT" and selects
        if (words == 1) != (word == b"INSERT") or (word in _WITHOUT_DATA and not depth):
            return None
        if word == b"FORMAT" and not depth:
            format_start = token.start()
    return None


def _insert(
    body: bytes, head_end: int, *, name: re.Match[bytes], reads_input: bool
) -> Insert:
    gap = _BEFORE_DATA.match(body, name.end())
    start = gap.end() if gap else name.end()
    return Insert(
        head=body[:head_end].decode(),
        format=name["word"].decode(),
        data=memoryview(body)[start:],
        reads_input=reads_input,
    )
