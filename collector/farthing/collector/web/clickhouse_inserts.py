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
# A statement of this kind carries its data in itself or has none.
_WITHOUT_DATA = frozenset({b"SELECT", b"WITH", b"VALUES", b"INFILE", b"WATCH"})
_HEAD_BYTES = 64 * 1024
_BEFORE_DATA = re.compile(rb"[ \t\f]*(?:\r?\n)?")


@dataclass(frozen=True)
class Insert:
    """`head` is `INSERT INTO t (a, b) SETTINGS ...`, `data` is encoded in `format`."""

    head: str
    format: str
    data: memoryview


def split_insert(body: bytes) -> Insert | None:
    """The parts of `INSERT ... FORMAT name` and its data; None for any other text."""
    words = 0
    depth = 0
    format_start = None
    for token in _TOKEN.finditer(body[:_HEAD_BYTES]):
        if token["word"] is None:
            depth += (token["other"] == b"(") - (token["other"] == b")")
            continue
        word = token["word"].upper()
        words += 1
        if format_start is not None:
            return _insert(body, format_start, token)
        if (words == 1) != (word == b"INSERT") or (word in _WITHOUT_DATA and not depth):
            return None
        if word == b"FORMAT" and not depth:
            format_start = token.start()
    return None


def _insert(body: bytes, head_end: int, name: re.Match[bytes]) -> Insert:
    gap = _BEFORE_DATA.match(body, name.end())
    start = gap.end() if gap else name.end()
    return Insert(
        head=body[:head_end].decode(),
        format=name["word"].decode(),
        data=memoryview(body)[start:],
    )
