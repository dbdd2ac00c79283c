"""Columns are declared once, in the migrations."""

from __future__ import annotations

import re

from farthing.collector.store.client import Store
from farthing.collector.store.ledger import STRUCTURE, Ledger
from farthing.collector.store.text import fill, quoted
from tests.store.ledger_doc import PAGE, written

_SAME = (
    (r"LowCardinality\((\w+)\)", r"\1"),
    (r"\b(U?Int\d+|Bool)\b", "Int"),
    (r"DateTime\('UTC'\)", "DateTime"),
)


def _columns(store: Store, query: str) -> dict[str, tuple[str, str]]:
    found = {}
    for row in store.rows(query):
        type_ = row["type"]
        for pattern, same in _SAME:
            type_ = re.sub(pattern, same, type_)
        found[row["name"]] = (type_, row["comment"])
    return found


def test_decoding_yields_the_columns_of_the_ledger(ledger: Ledger) -> None:
    """What a batch is decoded to has every column of the ledger but those that only
    corrections have, each of a type that keeps its values, in the order in which they
    are inserted."""
    head, _, select = ledger._insert.partition("\nSELECT *")
    source = {"source": f"null({quoted(STRUCTURE)})", "as_of_ns": "0"}
    decoded = _columns(ledger.store, f"DESCRIBE (SELECT *{fill(select, source)})")
    declared = _columns(
        ledger.store,
        "SELECT name, type, comment FROM system.columns"
        " WHERE database = currentDatabase() AND table = 'spans'",
    )
    own = {
        n: t
        for n, (t, text) in declared.items()
        if not text.startswith("Of a correction")
    }
    assert {name: type_ for name, (type_, _) in decoded.items()} == own
    [named] = re.findall(r"INSERT INTO spans \((.*?)\)", head, re.DOTALL)
    assert re.findall(r"\w+", named) == list(decoded)


def test_every_column_says_what_it_means(ledger: Ledger) -> None:
    """Each column of a table that people query has a comment, there or in spans."""
    page = written("<!-- columns of spans -->\n<!-- end of columns -->", ledger.store)
    assert "|  |" not in page
    for table in ("runs", "spend_hourly", "telemetry_hourly", "run_agents"):
        part = f"<!-- columns of {table} -->\n<!-- end of columns -->"
        page = written(part, ledger.store)
        assert "|  |" not in page
        assert "| `ingested_at` | DateTime, UTC, max |" in page


def test_the_page_of_the_ledger_is_fresh(ledger: Ledger) -> None:
    """docs/ledger.md shows the columns as they are: `python -m tests.store.ledger_doc`
    writes them anew."""
    page = PAGE.read_text()
    assert page.count("<!-- columns of ") == 7
    assert written(page, ledger.store) == page
