"""Errors that a tool's result tells in words while the call claims to have worked.

Agents loop on such results, and no flag says so: "Error: …" as a returned text, a
non-zero exit code, `isError`, a 503 in the body of a 200. Only the beginning and the
end of a result are read: an article about errors is not one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from farthing.instrumentation.fingerprints.normalise import QUOTED, normalised

MOST_READ: Final = 600
"""Characters of a result's beginning, and of its end, that are looked at."""

MOST_SIGNED: Final = 100
"""Characters of the line that identifies an error."""

OPENING = re.compile(
    r"""\s*[\[<("'*#]*(?:
      (?:fatal\s|unexpected\s|internal\s|server\s|tool\s|runtime\s|an?\s)?error(?:\s\d{3}
        |\scode:\s?[1-9]|\s(?:occurred|executing|calling|running|while)|\s*[:\]>)!]|-)
      |[\w.]*(?:error|exception|failure|refused|timeout)\s*[:(]
      |traceback\s\(most\srecent
      |(?:command|tool|request|call|execution|operation)\s(?:failed|timed\sout|error)
      |(?:failed|failure|unable)\s(?:to|:)|failed:
      |permission\sdenied|access\sdenied|no\ssuch\sfile|command\snot\sfound
      |http(?:/\d\.\d)?\s[45]\d\d\b|[45]\d\d\s(?:too|bad|not|internal|service|forbidden
        |unauthorized|gateway|client|server)\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""How a result begins that is an error."""

WITHIN: Final = (
    "traceback (most recent call last)",
    "503 service unavailable",
    "service unavailable",
    "service temporarily unavailable",
    "429 too many requests",
    "500 internal server error",
    "502 bad gateway",
    "504 gateway timeout",
    "504 gateway time-out",
    ": command not found",
    ": no such file or directory",
    ": permission denied",
    "is not recognized as an internal",
)
"""What says, near the beginning or the end of a result, that it is an error."""

EXIT = re.compile(
    r"(?:exit[_ ]?(?:code|status)|exited(?: with)?(?: code| status)?"
    r"|exit with(?: code)?|return[_ ]?code)[\s:=>]+-?0*[1-9]\d{0,9}\b"
)
"""A program's exit code other than 0."""

REFUSAL = re.compile(
    r"""
    (?:\bhttp(?:/\d(?:\.\d)?)?\s(?:status\s)?
      |\berror\s|\berror\scode["']?\s?[:=]?\s?
      |\bstatus(?:[\s_]?code)?["']?\s?[:=]?\s?)(?:429|50[0-4]|529)\b
    |\b(?:429|50[0-4]|529)\s(?:too\smany|internal\sserver|server\serror|bad\sgateway
      |service|gateway|overloaded)
    |\btoo\smany\srequests|\brate[\s_-]?limit(?:ed|error|\sexceeded|\sreached)
    |\boverloaded
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What an error says that is the other side's: 429, 5xx, overload. Not that something
is unavailable: tools that are out of order say so, too, and agents loop on them."""

LINE = re.compile(
    r"error|exception|failed|failure|traceback|denied|not found|no such|invalid"
    r"|refused|timed? ?out|unavailable|cannot|unable|undefined|not defined",
    re.IGNORECASE,
)
TRACEBACK = "Traceback (most recent call last)"
_FLAGS = ("isError", "is_error", "error", "errors")
_CODES = ("exit_code", "exitCode", "returncode", "return_code", "exit_status")
_STATUSES = ("status", "status_code", "statusCode", "http_status")
_BAD_STATUSES = ("error", "failed", "failure", "timeout", "cancelled")


def is_failure(text: str, *, content: Any = None) -> bool:
    """Whether a result tells an error. `content` is the result before it was a text,
    where it was a mapping; a text that holds a JSON object is read as one."""
    fields = content if isinstance(content, Mapping) else _object(text)
    if fields is not None:
        return _fields_fail(fields)
    if OPENING.match(text) or _fails_within(text[:MOST_READ].lower()):
        return True
    return len(text) > MOST_READ and _fails_within(text[-MOST_READ:].lower())


def _fails_within(lowered: str) -> bool:
    if any(words in lowered for words in WITHIN):
        return True
    if "exit" not in lowered and "return" not in lowered:
        return False
    return EXIT.search(lowered) is not None


def signature(text: str) -> str:
    """What identifies an error whatever the call's arguments: the last line of a
    traceback, else the first line that looks like an error, else the first; without
    quotes, numbers, ids, times and paths."""
    return normalised(QUOTED.sub("~", _telling_line(text)[:MOST_SIGNED]))


def is_refusal(text: str) -> bool:
    """Whether an error, by the line that identifies it, is the other side's, who may
    answer later: 429, 5xx, overload."""
    return REFUSAL.search(_telling_line(text)[:MOST_READ]) is not None


def _telling_line(text: str) -> str:
    head = text[:MOST_READ]
    lines = [line for line in head.splitlines() if line.strip()]
    if TRACEBACK in text[:MOST_READ] or TRACEBACK in text[-MOST_READ * 4 :]:
        last = [line for line in text[-MOST_READ:].splitlines() if line.strip()]
        return last[-1].strip()
    for line in lines:
        if LINE.search(line):
            return line.strip()
    return lines[0].strip() if lines else ""


def _object(text: str) -> Mapping[str, Any] | None:
    """The JSON object that a text is, if it is a short one."""
    if len(text) > MOST_READ * 8 or not text.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, Mapping) else None


def _fields_fail(fields: Mapping[str, Any]) -> bool:
    if any(_tells(fields.get(name)) for name in _FLAGS):
        return True
    if fields.get("success") is False or fields.get("ok") is False:
        return True
    if any(fields.get(name) not in (None, 0, "0", "", False) for name in _CODES):
        return True
    return any(_is_bad_status(fields.get(name)) for name in _STATUSES)


def _tells(flag: Any) -> bool:
    """Whether an `error` field holds one: a flag, a text, an object; not "none"."""
    if isinstance(flag, str):
        return flag.strip().lower() not in ("", "none", "null", "false", "0", "no")
    return bool(flag)


def _is_bad_status(status: Any) -> bool:
    if isinstance(status, bool):
        return False
    if isinstance(status, int):
        return 400 <= status <= 599
    return isinstance(status, str) and status.lower() in _BAD_STATUSES
