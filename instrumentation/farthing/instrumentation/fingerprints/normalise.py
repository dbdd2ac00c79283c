"""Texts without what changes from one try to the next: numbers, ids, times, paths.

Two results of one failing call differ in a port, a line number, a temporary path; the
loop detector has to see them as equal. The rules follow the published runs that it is
tuned on (`tests/instrumentation/fingerprints/` compares the two).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

MOST_NORMALISED: Final = 8_192
"""Characters up to which texts are normalised in full: the patterns below take up to
30 ms for a megabyte. Longer ones only lose their digits and their case."""

MOST_SHAPED: Final = 400
"""Characters up to which a result has a shape."""

PATH = re.compile(r"[\\/](?<![\w.].)(?:[\w.@+-]+[\\/])+[\w.@+-]*")
VOLATILE = re.compile(
    r"""[0-9a-f](?:
          (?<=[0-9])(?:
            [0-9]{3}-[0-9]{2}-[0-9]{2}[t ][0-9:.,]*[0-9](?:z|[+-][0-9]{2}:?[0-9]{2})?
          | (?<![0-9a-z_].)
            (?:[0-9a-f]{7}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12} | [0-9a-f]{7,})(?![0-9a-z_])
          | [0-9]*
          )
        | (?<![0-9a-z_].)(?:
            [0-9a-f]{7}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}
          | [a-f]*[0-9][0-9a-f]*(?<=[0-9a-f]{8})
          )(?![0-9a-z_])
        )""",
    re.VERBOSE,
)
"""What begins with a digit: a time, an id, any number; then an id that begins with a
letter and has a digit. One pattern and one class for what all begin with, because each
pass over a text costs as much as the work in it."""

NUMBER = re.compile(r"[0-9]+")
QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|`[^`\n]*`")
_DIGITS = b"0123456789"

VOLATILE_ARGUMENTS: Final = frozenset(
    (
        "_meta",
        "call_id",
        "idempotency_key",
        "nonce",
        "request_id",
        "run_id",
        "security_risk",
        "span_id",
        "task_progress",
        "timestamp",
        "tool_call_id",
        "trace_id",
    )
)
"""Arguments that frameworks add to a call, and that say nothing of what it is for."""


def normalised(text: str) -> str:
    """`text` in lower case, with `#` for numbers, ids, times and paths, and one blank
    for any white space. Beyond MOST_NORMALISED characters only digits and case go."""
    if len(text) > MOST_NORMALISED:
        plain = text.lower().encode(errors="replace").translate(None, _DIGITS)
        return plain.decode(errors="replace")
    return " ".join(_steady(text.lower()).split())


def _steady(lowered: str) -> str:
    if "/" in lowered or "\\" in lowered:
        lowered = PATH.sub("#", lowered)
    return lowered if NUMBER.search(lowered) is None else VOLATILE.sub("#", lowered)


def shape(text: str) -> str:
    """What is left of a short text without quotes and numbers; "" for a longer one."""
    if len(text) > MOST_SHAPED:
        return ""
    return normalised(QUOTED.sub("~", text))


def canonical(value: Any) -> str:
    """A value as a text that equal values share: JSON with sorted keys.

    A text that holds a JSON object or list is read first. What JSON has no form for is
    told by its `repr`.
    """
    if isinstance(value, str):
        value = _parsed(value)
        if isinstance(value, str):
            return value
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=plain)


def canonical_arguments(value: Any) -> str:
    """A tool call's arguments, without VOLATILE_ARGUMENTS, as a text."""
    if isinstance(value, str):
        value = _parsed(value)
    if isinstance(value, Mapping) and not VOLATILE_ARGUMENTS.isdisjoint(value):
        value = {k: v for k, v in value.items() if k not in VOLATILE_ARGUMENTS}
    return "" if value is None else canonical(value)


def text_of(content: Any) -> str:
    """What a tool returned as one text: a text, parts with texts, or any value.

    A result that frameworks wrap as `{"result": …}` or `{"output": …}` is unwrapped.
    """
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, Mapping):
        if len(content) == 1:
            [(key, inner)] = content.items()
            if key in ("result", "output", "text", "content", "json", "error"):
                return text_of(inner)
        return canonical(content)
    if isinstance(content, Sequence) and not isinstance(content, bytes | bytearray):
        return "\n".join(_text_of_part(part) for part in content)
    text = getattr(content, "text", None)
    return text if isinstance(text, str) else canonical(content)


def _text_of_part(part: Any) -> str:
    """One part of a result: its text, or what it is where it is none."""
    if isinstance(part, Mapping):
        text = part.get("text")
        return text if isinstance(text, str) else text_of(part)
    return text_of(part)


def _parsed(text: str) -> Any:
    start = text.lstrip()[:1]
    if start not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def plain(value: Any) -> Any:
    """JSON for what `json` does not know: SDK models as mappings, the rest by type."""
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump(mode="json", exclude_none=True)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, bytes | bytearray):
        return f"bytes:{len(value)}"
    return getattr(value, "__qualname__", None) or repr(value)
