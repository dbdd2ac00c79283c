"""Our fingerprints against those of the published runs, on the same texts.

`published.jsonl` is a sample of the runs of agent-trajectory-sentinel (Apache-2.0) that
holds both. The keys differ, so the hashes do; which of them are equal must not.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from farthing.instrumentation.fingerprints.hashes import Hasher
from farthing.instrumentation.fingerprints.normalise import normalised

STEPS = [
    json.loads(line)
    for line in Path(__file__).with_name("published.jsonl").read_text().splitlines()
]
TOOLS = [step for step in STEPS if step["kind"] == "tool"]
REPLIES = [step for step in STEPS if step["kind"] == "llm"]
HASHER = Hasher(b"a key")

# Longer runs of digits are an id there and a number here.
ID_OR_NUMBER = ("94.37329999999999",)


def ours(step: dict[str, Any], field: str) -> str:
    found = HASHER.tool(
        step["name"], step["args"], step["result"], is_error=step["error"]
    )
    return str(getattr(found, field))


def classes(pairs: list[tuple[str, int]]) -> set[frozenset[int]]:
    """Which steps have equal values."""
    found = defaultdict(set)
    for value, index in pairs:
        found[value].add(index)
    return {frozenset(members) for members in found.values()}


@pytest.mark.parametrize(
    "field",
    [
        "args_hash",
        "args_norm_hash",
        "result_hash",
        "result_norm_hash",
        "result_shape_hash",
        "err_sig_hash",
    ],
)
def test_equal_where_the_published_are(field: str) -> None:
    """Two tool calls have equal fingerprints of a kind exactly where the published
    runs say so."""
    steps = [
        (index, step)
        for index, step in enumerate(TOOLS)
        if step[field] is not None and step["result"] not in ID_OR_NUMBER
    ]
    assert len(steps) > 100
    assert classes([(ours(step, field), i) for i, step in steps]) == classes(
        [(step[field], i) for i, step in steps]
    )


def test_equal_replies_where_the_published_are() -> None:
    """Two replies have equal fingerprints exactly where the published runs say so."""
    assert len(REPLIES) > 50
    for field, text in (
        ("text_hash", lambda step: step["text"]),
        ("text_norm_hash", lambda step: normalised(step["text"])),
    ):
        mine = [(HASHER.hash(text(step)), i) for i, step in enumerate(REPLIES)]
        theirs = [(step[field], i) for i, step in enumerate(REPLIES)]
        assert classes(mine) == classes(theirs)


def test_lengths_are_the_published() -> None:
    """The length of a result is that of its text."""
    assert [ours(step, "result_len") for step in TOOLS] == [
        str(step["result_len"]) for step in TOOLS
    ]


def test_errors_are_seen_where_the_tool_said_so_and_where_only_the_text_does() -> None:
    """Whatever the tool flagged is an error; of the rest, only texts that begin like
    one: the published flag is false there, and ours is better."""
    for step in TOOLS:
        found = ours(step, "error") == "true"
        if step["error"]:
            assert found
        elif found:
            assert "error" in step["result"].lower()
