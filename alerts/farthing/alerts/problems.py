"""What is wrong with settings, in words."""

from __future__ import annotations

from typing import Final

from pydantic import ValidationError

_WORDS: Final = {
    "extra_forbidden": "there is no such setting",
    "missing": "it must be there",
}


def problems(error: ValidationError) -> str:
    """Each problem with its place, and without the value, which may be a secret."""
    told = (
        (
            ".".join(map(str, item["loc"])),
            _WORDS.get(item["type"], item["msg"]).removeprefix("Value error, "),
        )
        for item in error.errors(include_input=False, include_url=False)
    )
    return "; ".join(f"{place}: {words}" if place else words for place, words in told)
