"""Hashes under a key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.instrumentation.fingerprints import key as keys
from farthing.instrumentation.fingerprints.hashes import Hasher, ToolPrint
from farthing.semconv import STEP_FIELDS

HASHER = Hasher(b"a key")


def distance(left: str, right: str) -> int:
    return (int(left, 16) ^ int(right, 16)).bit_count()


def test_a_tool_print_has_the_fields_of_the_wire() -> None:
    """The fields are those that semconv names, in its order."""
    assert ToolPrint._fields == STEP_FIELDS


@given(text=st.text())
def test_hashes_are_sixteen_hex_digits(text: str) -> None:
    """Any text has a hash and a similarity hash, the same each time and in each
    process that has the key."""
    for made in (HASHER.hash(text), HASHER.similar(text)):
        assert re.fullmatch("[0-9a-f]{16}", made)
    again = Hasher(b"a key")
    assert (again.hash(text), again.similar(text)) == (
        HASHER.hash(text),
        HASHER.similar(text),
    )


def test_another_key_makes_other_hashes() -> None:
    """Who does not have the key cannot look a guess up."""
    other = Hasher(b"another key")
    assert other.hash("sunny") != HASHER.hash("sunny")
    assert distance(other.similar("a b c " * 9), HASHER.similar("a b c " * 9)) > 8


def test_similar_texts_have_similar_hashes() -> None:
    """A text with one word changed is nearer than another text."""
    words = [f"word{n} about the weather in city{n}" for n in range(20)]
    text = HASHER.similar(" ".join(words))
    changed = HASHER.similar(" ".join([*words[:10], "nothing", *words[11:]]))
    other = HASHER.similar(
        " ".join(f"entirely{n} different matters{n}" for n in range(60))
    )
    assert distance(text, changed) < 16 < distance(text, other)


def test_what_is_not_known_is_empty() -> None:
    """Without arguments their fields are empty, and without an error its signature."""
    found = HASHER.tool("get_weather", None, "sunny")
    assert (found.args_hash, found.args_len, found.err_sig_hash) == ("", "", "")
    assert (found.error, found.empty, found.result_len) == ("false", "false", "5")


@pytest.mark.parametrize("result", ["", "  \n", "[]", "null", None, {}, []])
def test_empty_results_are_told(result: object) -> None:
    """Nothing, and JSON's words for nothing, are empty."""
    assert HASHER.tool("search", {}, result).empty == "true"


def test_a_given_key_is_used(tmp_path: Path) -> None:
    """The setting decides, and nothing is stored."""
    assert keys.load_key("secret", folder=tmp_path) == keys.load_key("secret")
    assert keys.load_key("secret") != keys.load_key("other")
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    """Without a setting an installation has one key, in a file that its user alone may
    read; another installation has another."""
    folder = tmp_path / "data"
    first = keys.load_key(folder=folder)
    [file] = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert keys.load_key(folder=folder) == first
    assert keys.load_key(folder=tmp_path / "elsewhere") != first


def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    """Where no key can be kept one is derived, the same in each process."""
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    found = keys.load_key(folder=blocked / "data")
    assert found == keys.load_key(folder=blocked / "data")
    assert len(found) == 32


def test_a_broken_key_file_does_no_harm(tmp_path: Path) -> None:
    """A file that holds no key is left alone, and one is derived."""
    (tmp_path / keys.FILE_NAME).write_text("short")
    assert len(keys.load_key(folder=tmp_path)) == 32
    assert (tmp_path / keys.FILE_NAME).read_text() == "short"
