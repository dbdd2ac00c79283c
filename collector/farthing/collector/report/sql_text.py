"""The questions of this package, as text."""

from __future__ import annotations

from importlib.resources import files


def sql(name: str) -> str:
    """Text of `report/sql/<name>`."""
    return (files(__package__) / "sql" / name).read_text(encoding="utf-8")
