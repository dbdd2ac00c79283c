"""What the engine says of a statement, as people read it: its sentence, and where."""

from __future__ import annotations

import re
from typing import Final

_BEFORE: Final = re.compile(r"^.*?DB::Exception: ", re.DOTALL)
"""Where it was asked, by whom, and the number of the error."""
_AFTER: Final = (
    re.compile(r" \(for url [^)]*\)$"),
    re.compile(r" \(version [^()]*(\([^()]*\))?\)$"),
    re.compile(r" \([A-Z_]+\)$"),
    re.compile(r"[.:] In scope .*$"),
    re.compile(r"[.:]? Expected one of:? .*$"),
    re.compile(r" FORMAT \w+(?=\.|$)"),
)
"""In this order: what the client and the server add, the error's name, the statement
again, all that could have stood there, and the format that the client asks for."""


def sentence(told: str) -> str:
    """One line without the driver's words; what does not come from the engine stays."""
    text = _BEFORE.sub("", " ".join(told.split()), count=1)
    for added in _AFTER:
        text = added.sub("", text)
    return f"{text.rstrip('.')}."
