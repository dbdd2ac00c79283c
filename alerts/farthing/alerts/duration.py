"""Durations as people write them: `90s`, `10m`, `4h`, `14d`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

_WRITTEN: Final = re.compile(r"(\d+)\s*([smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def seconds(text: Any) -> Any:
    """`10m` -> 600; a number is seconds. Raises ValueError for anything else."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return text
    match = _WRITTEN.fullmatch(str(text).strip())
    if match is None:
        raise ValueError(f"{text!r} is no duration, as 90s, 10m, 4h or 14d are")
    return int(match[1]) * _SECONDS[match[2]]


Seconds = Annotated[int, BeforeValidator(seconds)]
"""A field of a configuration that holds a duration."""
