"""Fingerprints on the spans of real SDKs, and nothing of what they are of."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from farthing.collector.demo.providers import serving
from farthing.instrumentation.fingerprints.hashes import Hasher
from farthing.instrumentation.fingerprints.key import load_key
from farthing.instrumentation.fingerprints.normalise import canonical_arguments
from farthing.semconv import FINGERPRINT, STEP_FIELDS, TOOL_RESULTS
from tests.instrumentation.sink import Seen, Sink, instrumented, sink

TALK = str(Path(__file__).with_name("talk.py"))
SECRET = "Qwyjibo"
RESULT = f"Error: {SECRET} is unknown"
HASHER = Hasher(load_key("the installation's"))


@pytest.fixture(scope="module")
def told() -> Iterator[Sink]:
    """What one run of the agent sends."""
    with sink() as found, serving() as providers:
        done = instrumented(
            found.url,
            sys.executable,
            TALK,
            PROVIDERS=providers.url,
            SECRET=SECRET,
            FARTHING_FINGERPRINT_KEY="the installation's",
        )
        assert done.returncode == 0, done.stderr
        assert "farthing" not in done.stderr
        yield found


def calls(told: Sink, library: str) -> list[Seen]:
    """The spans of a library's model calls that have fingerprints, in order."""
    model = {"openai": "gpt", "anthropic": "claude"}[library]
    return [
        span
        for span in told.spans
        if span["gen_ai.request.model"].startswith(model)
        and span[f"{FINGERPRINT}user_turn"]
    ]


def test_no_content_leaves_the_process(told: Sink) -> None:
    """Of prompts, tool definitions, arguments, results and replies not a word is in any
    byte that is sent; but spans are."""
    assert len(told.spans) >= 5
    sent = b"".join(told.bodies)
    assert b"get_weather" in sent
    for word in (SECRET, "weatherman", "is unknown", "word0"):
        assert word.encode() not in sent
        assert word.lower().encode() not in sent


def test_results_are_told_where_they_are_handed_over(told: Sink) -> None:
    """The call that hands a tool's result to the model tells of it, whatever the API:
    its id, its name, and fingerprints by which it is an error."""
    for library, expected in (("openai", 2), ("anthropic", 1)):
        spans = [s for s in calls(told, library) if s[f"{TOOL_RESULTS}call_id"]]
        assert len(spans) == expected
        for span in spans:
            assert span[f"{TOOL_RESULTS}name"] == "get_weather"
            assert span[f"{TOOL_RESULTS}result_hash"] == HASHER.hash(RESULT)
            assert span[f"{TOOL_RESULTS}error"] == "true"
            assert span[f"{TOOL_RESULTS}err_sig_hash"]
            assert {f"{TOOL_RESULTS}{field}" for field in STEP_FIELDS} <= set(
                span.attributes
            )


def test_arguments_are_known_also_where_the_provider_keeps_them(told: Sink) -> None:
    """From the reply that asked for the call, else from the conversation."""
    handed = [
        span[f"{TOOL_RESULTS}args_hash"]
        for library in ("openai", "anthropic")
        for span in calls(told, library)
        if span[f"{TOOL_RESULTS}call_id"]
    ]
    in_reply, in_request = (
        HASHER.hash(canonical_arguments({"city": city})) for city in ("Paris", SECRET)
    )
    assert handed == [in_reply, in_reply, in_request]


def test_a_persons_turn_is_told(told: Sink) -> None:
    """The first call of a conversation answers a person, the next a tool."""
    turns = [span[f"{FINGERPRINT}user_turn"] for span in calls(told, "openai")]
    assert turns == ["True", "False", "True", "False"]


def test_a_reply_is_told_also_when_it_is_streamed(told: Sink) -> None:
    """Calls that ended in words tell a hash of them; calls that asked for a tool do
    not."""
    texts = [span[f"{FINGERPRINT}text_hash"] for span in calls(told, "openai")]
    said = HASHER.hash("word0 word1 word2")
    assert texts == ["", said, "", said]
    assert [s[f"{FINGERPRINT}text_hash"] for s in calls(told, "anthropic")] == [said]


def test_the_prefix_is_told_and_stays(told: Sink) -> None:
    """Calls with the same system prompt and tools have the same prefix, of its size."""
    first, second, *_ = calls(told, "openai")
    for name in ("prefix_hash", "prefix_len", "tools_hash", "tools_len"):
        assert first[f"{FINGERPRINT}{name}"] == second[f"{FINGERPRINT}{name}"] != ""
    assert int(first[f"{FINGERPRINT}prefix_len"]) > int(
        first[f"{FINGERPRINT}tools_len"]
    )
