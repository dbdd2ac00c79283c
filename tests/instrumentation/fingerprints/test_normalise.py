"""What texts lose before they are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.instrumentation.fingerprints.normalise import (
    MOST_NORMALISED,
    canonical,
    canonical_arguments,
    normalised,
    shape,
    text_of,
)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("line 12: not found", "line 4711: not found"),
        ("took 1.5 s", "took 27.25 s"),
        ("job 3fa85f64-5717-4562-b3fc-2c963f66afa6 failed",
         "job 00000000-aaaa-4bbb-8ccc-ddddeeeeffff failed"),
        ("commit fa3b88e1c2 is gone", "commit 0123456789abcdef is gone"),
        ("at 2026-11-25T22:11:09.5Z", "at 2025-01-01 00:00:00+01:00"),
        ("/tmp/a1b2/run.log is missing", "/var/lib/x/other.log is missing"),
        ("C:\\Users\\me\\a.txt", "C:\\Temp\\b.txt"),
        ("Two  blanks\n", "two blanks"),
    ],
)  # fmt: skip
def test_what_changes_from_try_to_try_goes(left: str, right: str) -> None:
    """Numbers, ids, times, paths, case and white space make no difference."""
    assert normalised(left) == normalised(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("cat found", "dog found"),
        ("text/plain", "text/html"),
        ("deadbeef feedface", "some other words"),
        ("", "0"),
    ],
)
def test_what_is_said_stays(left: str, right: str) -> None:
    """Words make a difference, also those that look a little like an id or a path."""
    assert normalised(left) != normalised(right)


def test_long_texts_lose_digits_and_case_only() -> None:
    """Beyond a size a text is compared without digits, all of it."""
    padding = "x y " * MOST_NORMALISED
    assert normalised(f"{padding} A 12") == normalised(f"{padding} a 345")
    assert normalised(f"{padding} a") != normalised(f"{padding} b")


def test_a_short_text_has_a_shape() -> None:
    """Quotes and numbers make no difference to the shape; long texts have none."""
    assert shape("no file 'a' in 3") == shape('no file "b c" in 17')
    assert shape("x" * 401) == ""


def test_arguments_are_equal_however_they_are_written() -> None:
    """The order of keys, spaces and JSON or mapping make no difference, nor do ids that
    a framework adds."""
    written = canonical_arguments('{"b": [1, 2],\n "a": "x"}')
    assert written == canonical_arguments({"a": "x", "b": [1, 2]})
    assert written == canonical_arguments(
        {"a": "x", "b": [1, 2], "tool_call_id": "call_17", "task_progress": "- [x]"}
    )
    assert written != canonical_arguments({"a": "x", "b": [2, 1]})
    assert canonical_arguments("not {json") == "not {json"


def test_results_are_read_in_every_form() -> None:
    """A text, parts with texts, and a wrapped text are the same result."""
    assert text_of("sunny") == "sunny"
    assert text_of([{"type": "text", "text": "sunny"}]) == "sunny"
    assert text_of({"result": "sunny"}) == "sunny"
    assert text_of({"b": 1, "a": 2}) == '{"a": 2, "b": 1}'
    assert text_of(None) == ""


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(value=anything)
def test_any_value_has_a_text(value: object) -> None:
    """Whatever a tool was given or returned has a canonical text, always the same."""
    assert canonical(value) == canonical(value)
    assert isinstance(normalised(text_of(value)), str)
    assert isinstance(canonical_arguments(value), str)
