"""Text of SQL: the `.sql` files, what is filled into them, literals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files

_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


def sql_file(name: str) -> str:
    """Text of `store/sql/<name>`."""
    return (files(__package__) / "sql" / name).read_text(encoding="utf-8")


def fill(template: str, values: Mapping[str, str]) -> str:
    """`template` with each `{{name}}` replaced; an unknown name is a KeyError."""
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)


def quoted(text: str) -> str:
    """`text` as a ClickHouse string literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def array(items: Iterable[str]) -> str:
    """A ClickHouse array of string literals."""
    return f"[{', '.join(quoted(item) for item in items)}]"


def integers(items: Iterable[int], type_: str) -> str:
    """A ClickHouse array of integers of one type."""
    return f"[{', '.join(str(item) for item in items)}]::Array({type_})"


def all_of(tests: Sequence[str]) -> str:
    """All tests hold. Not with AND: see decode.sql."""
    return f"least({', '.join(tests)})" if len(tests) > 1 else "".join(tests) or "true"


def any_of(tests: Sequence[str]) -> str:
    """Some test holds. Not with OR: see decode.sql."""
    return (
        f"greatest({', '.join(tests)})" if len(tests) > 1 else "".join(tests) or "false"
    )
