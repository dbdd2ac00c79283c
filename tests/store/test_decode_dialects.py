"""Each dialect by examples: attributes in, a row of the ledger out."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml

from farthing import semconv
from farthing.collector.dialects import FIELDS, Dialect, all_dialects
from farthing.collector.store.decode import Decoder
from farthing.collector.store.ledger import Ledger
from farthing.economics.prices import load_catalogue
from tests.store.otlp import Told, rows

CALL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5"}
USAGE = {"gen_ai.usage.input_tokens": 3, "gen_ai.usage.output_tokens": 2}
EXAMPLES = Path(__file__).parents[1] / "dialects"
DIALECTS = {dialect.name: dialect for dialect in all_dialects()}


def cases_of(dialect: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(
        (EXAMPLES / f"{dialect}.yaml").read_text()
    )
    return found


@pytest.fixture(scope="module")
def examples(ledger: Ledger) -> dict[str, list[dict[str, Any]]]:
    """By dialect, what the ledger holds of its examples: all are one batch."""
    cases = {name: cases_of(name) for name in DIALECTS}
    told = [_told(case) for name in DIALECTS for case in cases[name]]
    found = rows(ledger, "examples", told)
    held = iter([found[number] for number in range(len(told))])
    return {name: list(islice(held, len(cases[name]))) for name in DIALECTS}


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_reads_its_examples(
    examples: dict[str, list[dict[str, Any]]], name: str
) -> None:
    """Every example of tests/dialects/<name>.yaml gives the row it tells."""
    for case, row in zip(cases_of(name), examples[name], strict=True):
        wanted = {"dialect": name, **case["row"]}
        assert {key: _plain(row[key]) for key in wanted} == {
            key: _plain(value, like=row[key]) for key, value in wanted.items()
        }, case["case"]


@pytest.mark.parametrize("name", DIALECTS)
def test_no_example_stores_content(
    examples: dict[str, list[dict[str, Any]]], name: str
) -> None:
    """No attribute of an example that says `secret` reaches the ledger."""
    assert examples[name]
    assert "secret" not in repr(examples[name])


@pytest.mark.parametrize("below", ["", ".0.text"])
def test_no_name_of_content_is_stored(ledger: Ledger, below: str) -> None:
    """No emitter's name for what people wrote, nor one below it, is among the
    attributes that are kept; any other scalar is."""
    told = {f"{name}{below}": "secret" for name in semconv.CONTENT}
    found = rows(ledger, f"names{below}", [Told({**CALL, **told, "own.note": "kept"})])
    assert "secret" not in repr(found)
    assert found[0]["attributes"]["own.note"] == "kept"


def test_a_field_told_under_several_names_has_the_first(ledger: Ledger) -> None:
    """Of a field's names the dialect's first counts, wherever it stands among a span's
    attributes."""
    names = DIALECTS["semconv"].attributes["input_total"]
    many = {name: 100 + rank for rank, name in enumerate(names)}
    backwards = dict(reversed(many.items()))
    others = {f"own.{number}": number for number in range(40)}
    told = [{**CALL, **many}, {**CALL, **backwards}, {**backwards, **others, **CALL}]
    found = rows(ledger, "several names", [Told(attributes) for attributes in told])
    assert len(names) > 1
    assert [found[number]["input_tokens"] for number in range(3)] == [100] * 3


def test_an_empty_value_leaves_a_field_to_its_next_name(ledger: Ledger) -> None:
    """A name with an empty value tells nothing: the next one counts, of counts and of
    texts. Where all are empty, nothing is told."""
    first, second = DIALECTS["semconv"].attributes["input_total"]
    output = {"gen_ai.usage.output_tokens": 1}
    texts = {"gen_ai.provider.name": "", "gen_ai.system": "openai"}
    told = [
        {**CALL, **texts, **output, first: "", second: 100},
        {**CALL, **texts, **output, second: 100, first: ""},
        {**CALL, **texts, **output, second: "", first: ""},
    ]
    found = rows(ledger, "empty names", [Told(attributes) for attributes in told])
    assert [found[number]["input_tokens"] for number in range(3)] == [100, 100, 0]
    assert [found[number]["provider"] for number in range(3)] == ["openai"] * 3
    missing = ["input_missing" in found[number]["flags"] for number in range(3)]
    assert missing == [False, False, True]


def test_more_attributes_than_anybody_tells_displace_nothing(ledger: Ledger) -> None:
    """A field has its own value, however many attributes stand beside it."""
    many = {f"{number:x}": "" for number in range(1_100_000)}
    found = rows(ledger, "many attributes", [Told({**CALL, **USAGE, **many})])
    assert found[0]["request_model"] == "gpt-5"
    assert (found[0]["input_tokens"], found[0]["output_tokens"]) == (3, 2)


def test_a_field_has_no_more_names_than_are_told_apart() -> None:
    """One more would be read as another field's."""
    names = tuple(f"own.{number}" for number in range(16))

    def statement(count: int) -> str:
        read = {"user": names[:count]}
        own = Dialect(name="mine", scopes=("mine",), attributes=read)
        decoder = Decoder([*DIALECTS.values(), own], load_catalogue().rules)
        return decoder.statement("t", as_of_ns="0")

    assert statement(15)
    with pytest.raises(ValueError, match="'mine' has too many names"):
        statement(16)


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_a_dialect_is_complete(dialect: Dialect) -> None:
    """It maps known fields, says what is known of its input, and has examples."""
    assert set(dialect.attributes) <= set(FIELDS)
    assert dialect.evidence
    assert cases_of(dialect.name)


def test_a_scope_is_of_one_dialect() -> None:
    """No two dialects claim the same scope, but for the fallback."""
    claimed = [scope for d in DIALECTS.values() for scope in d.scopes]
    assert len(claimed) == len(set(claimed))
    assert [name for name, d in DIALECTS.items() if "*" in d.scopes] == ["semconv"]


def _told(case: Mapping[str, Any]) -> Told:
    return Told(
        case["attributes"],
        scope=case["scope"],
        scope_version=case.get("version", ""),
        name=case["name"],
    )


def _plain(value: Any, *, like: Any = None) -> Any:
    if isinstance(like, Decimal) and value is not None:
        return Decimal(value)
    return sorted(value) if isinstance(value, list) else value
