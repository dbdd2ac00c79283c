"""docs/configuration.md lists every setting as the program has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import SecretStr

from farthing.collector.config import Settings, variable

PAGE = Path(__file__).parents[2] / "docs/configuration.md"
HEAD = "| setting | variable | default | meaning |\n|---|---|---|---|\n"


def table() -> str:
    """The table of the page, from the settings themselves."""
    rows = (
        f"| `{name}` | `{variable(name)}` | {_default(field)} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    )
    return HEAD + "".join(rows)


def _default(field: Any) -> str:
    if field.default_factory is not None:
        return "`~/.local/share/farthing`"
    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return f"`{value}`" if value not in (None, "") else ""


def test_the_table_is_that_of_the_program() -> None:
    """Names, variables, defaults and meanings on the page are the program's; where they
    are not, this table belongs there."""
    assert table() in PAGE.read_text()
