"""What the engine says of a statement, without what carried it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from farthing.collector.store.client import Address, Away, Refused, Store
from farthing.collector.store.sentence import sentence
from tests.clickhouse_server import ClickHouseServer

WRONG = {
    "SELECT nope FROM numbers(1)": r"Unknown expression identifier `nope`.*\.",
    "SELEC 1": r"Syntax error: failed at position 7 \(1\) \(line 1, col 7\): 1\.",
    "SELECT * FROM nosuch": r"Unknown table expression identifier 'nosuch'\.",
    "SELECT sum(number FROM numbers(1)": (
        r"Syntax error: .*\(line 1, col 19\): FROM numbers\(1\)\."
        r" Unmatched parentheses: .*\(line 1, col 11\) is never closed\."
    ),
    "SELECT toUInt8('abc')": r"Cannot parse string 'abc' as UInt8: .*\.",
}


@pytest.mark.parametrize("query", WRONG)
@pytest.mark.parametrize("where", ["embedded", "server"])
def test_a_refusal_is_the_engines_sentence(
    store: Store, server: ClickHouseServer, where: str, query: str
) -> None:
    """Its words and the position are left; no code, address, version, driver, name of
    a format or list of what else could stand there, over HTTP as in this process."""
    url = f"clickhouse://127.0.0.1:{server.port}/default"
    asked = store if where == "embedded" else Store(Address.parse(url))
    with pytest.raises((Refused, Away)) as refusal:
        asked.raw(query, fmt="CSV")
    told = sentence(str(refusal.value))
    assert re.fullmatch(WRONG[query], told), told
    assert not re.search(
        r"Code|DB::|http|version|FORMAT|Expected|In scope|_[A-Z]", told
    )


def test_what_the_engine_did_not_say_is_kept(tmp_path: Path) -> None:
    """A sentence of ours stays as it is."""
    assert sentence(f"no ledger in {tmp_path}") == f"no ledger in {tmp_path}."
