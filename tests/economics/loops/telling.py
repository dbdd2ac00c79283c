"""Steps told in words: what an instrumentation would make of texts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import cache

from farthing.economics.loops import Step
from farthing.instrumentation.fingerprints.failure import is_refusal

_VARYING = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8,}|/[\w./-]+|\d+(\.\d+)?")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")
_FAILS = re.compile(r"(?i)error|exception|not found|failed|no such|refused|denied")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache  # the steps of a scenario are alike, and told many times
def simhash(text: str) -> str:
    shingles = [text[i : i + 4] for i in range(max(1, len(text) - 3))]
    counts = [0] * 64
    for shingle in shingles:
        bits = int(digest(shingle), 16)
        for place in range(64):
            counts[place] += 1 if bits >> place & 1 else -1
    return f"{sum(1 << p for p, count in enumerate(counts) if count > 0):016x}"


def called(
    name: str,
    args: object,
    result: str,
    *,
    error: bool = False,
    signs: bool = True,
    **more: object,
) -> Step:
    """A tool call. `signs`: whether errors are seen in the text of a result."""
    line = next((x for x in result.splitlines() if _FAILS.search(x)), "")
    if error and not line:
        line = result
    asked = repr(args)
    told = {
        "kind": "tool",
        "name": name,
        "args_hash": digest(asked),
        "args_norm_hash": digest(_VARYING.sub("#", asked)),
        "args_len": len(asked),
        "args_simhash": simhash(asked),
        "result_hash": digest(result),
        "result_norm_hash": digest(_VARYING.sub("#", result)),
        "result_shape_hash": digest(_QUOTED.sub("", result))
        if len(result) < 400
        else None,
        "result_len": len(result),
        "result_simhash": simhash(result),
        "empty": not result,
        "error": error,
        "err_sig_hash": digest(_VARYING.sub("#", line)) if line and signs else None,
        "retryable": bool(line) and is_refusal(result),
        **more,
    }
    return Step.of(told)


def replied(text: str = "", **more: object) -> Step:
    """A reply of the model."""
    hashes = {
        "text_hash": digest(text) if text else None,
        "text_norm_hash": digest(_VARYING.sub("#", text)) if text else None,
    }
    return Step.of({"kind": "llm", "name": "llm", **hashes, **more})


def spoken(text: str) -> Step:
    """What a person says."""
    return Step.of({"kind": "user", "text_hash": digest(text)})


def turns(steps: Iterable[Step]) -> list[Step]:
    """Each call in a turn of its own."""
    return [each for step in steps for each in (replied(), step)]
