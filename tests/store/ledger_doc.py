"""The tables of docs/ledger.md, from the comments of the columns.

    python -m tests.store.ledger_doc

writes them anew from an empty ledger.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from farthing.collector.store.client import Address, Store
from farthing.collector.store.ledger import Ledger
from farthing.economics.prices import load_catalogue

PAGE = Path(__file__).parents[2] / "docs" / "ledger.md"
_PART = re.compile(
    r"(<!-- columns of (?P<table>\w+) -->\n).*?(<!-- end of columns -->)", re.S
)
_TYPES = (
    (r"SimpleAggregateFunction\((\w+), (.*)\)", r"\2, \1"),
    (r"LowCardinality\((\w+)\)", r"\1"),
    (r"DateTime(\w*)\((?:6, )?'UTC'\)", r"DateTime\1, UTC"),
    (r"Nullable\((.*)\)", r"\1 or NULL"),
)


def written(page: str, store: Store) -> str:
    """The page with its tables as the store has the columns."""
    comments = {
        (row["table"], row["name"]): (_type(row["type"]), row["comment"])
        for row in store.rows(
            "SELECT table, name, type, comment FROM system.columns"
            " WHERE database = currentDatabase() ORDER BY table, position"
        )
    }

    def part(match: re.Match[str]) -> str:
        lines = ["| column | type | meaning |", "|---|---|---|"]
        for (table, name), (type_, comment) in comments.items():
            if table == match["table"]:
                meaning = comment or comments.get(("spans", name), ("", ""))[1]
                lines.append(f"| `{name}` | {type_} | {meaning} |")
        return "\n".join([match[1], *lines, "", match[3]])

    return _PART.sub(part, page)


def _type(type_: str) -> str:
    for pattern, shown in _TYPES:
        type_ = re.sub(pattern, shown, type_)
    return type_


def main() -> None:
    """Write the page anew."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Address(path=Path(folder)))
        Ledger(store, load_catalogue()).open(retention_days=90)
        PAGE.write_text(written(PAGE.read_text(), store))
        store.close()


if __name__ == "__main__":
    main()
