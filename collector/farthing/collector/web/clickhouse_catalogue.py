"""What this engine has: its functions, formats and how it calls itself.

Read once at start. Functions are sorted by the category that the engine gives them,
so a function that a newer engine adds is refused until its category or name is listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from farthing.collector.web import clickhouse_allowed as allowed
from farthing.collector.web.clickhouse_errors import UNKNOWN_FORMAT, ClickHouseError

if TYPE_CHECKING:
    from farthing.collector.web.clickhouse_engine import Handle

_SERVER = """
SELECT version() AS version, timezone() AS timezone, displayName() AS display_name
"""
_FUNCTIONS = """
SELECT f.name AS name, f.origin AS origin,
       if(f.alias_to = '', f.categories, target.categories) AS category,
       lower(if(f.alias_to = '', f.name, f.alias_to)) AS target
FROM system.functions AS f
LEFT JOIN system.functions AS target ON f.alias_to = target.name
WHERE NOT f.is_aggregate
"""
_FORMATS = "SELECT name, content_type FROM system.formats WHERE is_output"


@dataclass(frozen=True)
class Catalogue:
    """The engine's own description of itself, as far as requests depend on it.

    `refused_functions` and `dictionary_functions` are in lower case;
    `content_types` maps each output format to its MIME type.
    """

    version: str
    timezone: str
    display_name: str
    refused_functions: frozenset[str]
    dictionary_functions: frozenset[str]
    content_types: Mapping[str, str]

    @classmethod
    def read(cls, handle: Handle) -> Catalogue:
        """Ask the engine."""
        functions = handle.rows(_FUNCTIONS)
        return cls(
            **handle.rows(_SERVER)[0],
            refused_functions=frozenset(
                row["name"].lower() for row in functions if not _is_allowed(row)
            ),
            dictionary_functions=frozenset(
                row["name"].lower()
                for row in functions
                if row["category"] == "Dictionary"
            ),
            content_types={
                row["name"]: row["content_type"] for row in handle.rows(_FORMATS)
            },
        )

    def output_format(self, name: str) -> str:
        """`name`, if it is a format of this engine. Raises ClickHouseError 73."""
        if name not in self.content_types:
            raise ClickHouseError(UNKNOWN_FORMAT, f"Unknown format {name}")
        return name


def _is_allowed(function: dict[str, str]) -> bool:
    if function["origin"] != "System":
        return False
    return (
        function["category"] in allowed.FUNCTION_CATEGORIES
        or function["target"] in allowed.FUNCTIONS
    )
