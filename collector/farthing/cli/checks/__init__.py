"""The checks of `farthing doctor`: each yields findings, one line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """How a check came out; only a problem keeps Farthing from its work."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


_MARKS = {Status.OK: "ok", Status.WARNING: "warning", Status.PROBLEM: "PROBLEM"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check saw, and what to do where that is not as it should be."""

    check: str
    status: Status
    says: str
    do: str = ""

    def line(self) -> str:
        """The form for people."""
        do = f" -> {self.do}" if self.do else ""
        return f"{_MARKS[self.status]:<8} {self.check:<13} {self.says}{do}"

    def to_json(self) -> Mapping[str, Any]:
        """The form of `--json`."""
        return asdict(self)


Findings = Iterator[Finding]


def ok(check: str, says: str) -> Finding:
    """All is well."""
    return Finding(check, Status.OK, says)


def warning(check: str, says: str, do: str) -> Finding:
    """It works, but somebody should look."""
    return Finding(check, Status.WARNING, says, do)


def problem(check: str, says: str, do: str) -> Finding:
    """It does not work."""
    return Finding(check, Status.PROBLEM, says, do)
