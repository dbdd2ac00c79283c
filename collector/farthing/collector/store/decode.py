"""Compiles the dialects into the statement that turns OTLP into ledger entries.

Every attribute name that any dialect reads gets a number. A span's attributes become
slots through one table, `slot_table[dialect, name]`: slot 0 is an attribute that nobody
reads, any other is one field at one rank (the first alias of a field is rank 0). After
that a field is the value at the position of its slot, whatever the emitter called it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from farthing import semconv
from farthing.collector.dialects import (
    NUMBERS,
    OPERATIONS,
    TEXTS,
    Dialect,
    Exclusive,
)
from farthing.collector.store import pricing
from farthing.collector.store.text import all_of, any_of, array, fill, integers, quoted, sql_file
from farthing.economics.prices.cost import MAX_TOKENS
from farthing.economics.prices.rates import SLOT_UNDECIDED, Ctx
from farthing.economics.prices.rules import Rules

OFFICIAL_SCOPES = "opentelemetry.instrumentation."
"""Scopes of the official packages, whose convention is known, not assumed."""

_ATTRIBUTED = tuple(semconv.RESOURCE)


@dataclass(frozen=True)
class Decoder:
    """The statement for a set of dialects; `intake` is the table it reads."""

    dialects: Sequence[Dialect]
    rules: Rules

    def statement(self, intake: str) -> str:
        """The SELECT that reads `intake` and yields columns of `spans`."""
        return fill(sql_file("decode.sql"), {"intake": intake, **self._values()})

    def _values(self) -> dict[str, str]:
        return {
            **self._resource_values(),
            "dialect_no": self._dialect_number(),
            "dialect_names": array(dialect.name for dialect in self._ordered),
            "keys": array(self._keys),
            "key_numbers": integers(range(1, len(self._keys) + 1), "UInt16"),
            "keys_count": str(len(self._keys) + 1),
            "slot_table": self._slot_table(),
            "number_slots": str(self._slots_of(NUMBERS)),
            "span_texts": _texts("s.attributes.value"),
            "number_fields": _lines(self._number(name) for name in NUMBERS),
            "text_types": quoted(f"Tuple({', '.join(f'{name} String' for name in TEXTS)})"),
            "text_fields": _lines(self._text(name) for name in TEXTS),
            "has_usage": self._present("input_total", "output_total"),
            "content": quoted(_content_pattern()),
            **self._kind_values(),
            "exclusive": self._exclusive(),
            "most_tokens": str(MAX_TOKENS),
            **self._price_values(),
            "known_scope": (
                f"greatest(dialect_no < {len(self._ordered) - 1},"
                f" startsWith(scope, {quoted(OFFICIAL_SCOPES)}))"
            ),
        }

    @cached_property
    def _ordered(self) -> list[Dialect]:
        """The fallback last: its scope matches everything."""
        return sorted(self.dialects, key=lambda dialect: "*" in dialect.scopes)

    @cached_property
    def _keys(self) -> list[str]:
        names = {
            name
            for dialect in self.dialects
            for aliases in dialect.attributes.values()
            for name in aliases
        }
        return sorted(names)

    @cached_property
    def _slots(self) -> dict[tuple[str, int], int]:
        """(field, rank) -> slot; the slots of numbers come first."""
        ranks = {
            field: max(len(d.attributes.get(field, ())) for d in self.dialects)
            for field in (*NUMBERS, *TEXTS)
        }
        pairs = [(field, rank) for field in ranks for rank in range(ranks[field])]
        return {pair: slot for slot, pair in enumerate(pairs, start=1)}

    def _slots_of(self, fields: Iterable[str]) -> int:
        return max(slot for (field, _), slot in self._slots.items() if field in fields)

    def _slot_table(self) -> str:
        """Row per dialect, column per key, one more for keys that nobody reads."""
        table: list[int] = []
        for dialect in self._ordered:
            slot_of = {
                name: self._slots[field, rank]
                for field, aliases in dialect.attributes.items()
                for rank, name in enumerate(aliases)
            }
            table += [slot_of.get(key, 0) for key in self._keys] + [0]
        return integers(table, "UInt8")

    def _position(self, field: str) -> str:
        """Where `field` stands among a span's attributes; 0 where it is absent."""
        slots = [slot for (name, _), slot in self._slots.items() if name == field]
        found = [f"indexOf(slots, {slot})" for slot in slots]
        expression = found[-1] if found else "indexOf(slots, 255)"
        for candidate in reversed(found[:-1]):
            expression = f"if({candidate} > 0, {candidate}, {expression})"
        return expression

    def _present(self, *fields: str) -> str:
        return any_of([f"{self._position(field)} > 0" for field in fields])

    def _number(self, field: str) -> str:
        return f"numbers[{self._position(field)}] AS {field}"

    def _text(self, field: str) -> str:
        value = f"texts[{self._position(field)}]"
        if field in _ATTRIBUTED:
            value = f"coalesce(nullIf({value}, ''), resource_{field})"
        return value

    def _resource_values(self) -> dict[str, str]:
        names = [name for aliases in semconv.RESOURCE.values() for name in aliases]
        slot_of = {name: slot for slot, name in enumerate(names, start=1)}
        fields = []
        for field, aliases in semconv.RESOURCE.items():
            found = [f"nullIf(texts[indexOf(slots, {slot_of[a]})], '')" for a in aliases]
            fields.append(f"coalesce({', '.join(found)}, '') AS resource_{field}")
        return {
            "resource_keys": array(names),
            "resource_slots": integers(slot_of.values(), "UInt8"),
            "resource_texts": _texts("r.resource.attributes.value"),
            "resource_fields": _lines(fields),
            "resource_names": ", ".join(
                f"resource_{field}" for field in semconv.RESOURCE if field in TEXTS
            ),
        }

    def _dialect_number(self) -> str:
        """The first dialect whose scopes match, as its place in the slot table."""
        cases = []
        for number, dialect in enumerate(self._ordered[:-1]):
            exact = [scope for scope in dialect.scopes if not scope.endswith("*")]
            prefixes = [scope[:-1] for scope in dialect.scopes if scope.endswith("*")]
            tests = [f"startsWith(s.scope.name, {quoted(p)})" for p in prefixes]
            if exact:
                tests.insert(0, f"s.scope.name IN {array(exact)}")
            cases.append(f"{any_of(tests)}, {number}")
        return f"multiIf({', '.join(cases)}, {len(self._ordered) - 1})::UInt16"

    def _kind_values(self) -> dict[str, str]:
        kinds = dict(OPERATIONS)
        for dialect in self.dialects:
            for operation, kind in dialect.operations.items():
                if kinds.setdefault(operation, kind) != kind:
                    raise ValueError(f"{operation!r} is two kinds of span")
        named = {n: o for d in self.dialects for n, o in d.span_names.items()}
        return {
            "operations": array(kinds),
            "operation_kinds": array(kinds.values()),
            "span_name_operation": (
                f"transform(span_name, {array(named)}, {array(named.values())}, '')"
                if named
                else "''"
            ),
        }

    def _price_values(self) -> dict[str, str]:
        rules, names = self.rules, {"provider": "provider", "model": "model"}
        numerators, denominators = pricing.factor_arrays(rules)
        return {
            "provider_word": pricing.folded("said.provider"),
            "host_word": pricing.folded("said.host"),
            "ref": pricing.folded(
                "if(said.response_model != '', said.response_model, said.request_model)"
            ),
            "geo": pricing.folded("said.geo"),
            "provider_by_name": pricing.provider_by_name(rules, "provider_word"),
            "provider_by_host": pricing.provider_by_host(rules, "host_word"),
            "normalised": pricing.normalised(rules, "provider", "ref"),
            "stem": pricing.stem(rules, "wanted"),
            "region": pricing.region(rules, "provider", "ref"),
            "unmapped": pricing.unmapped(rules, "provider", "ref"),
            "tier_word": pricing.folded("tier"),
            "speed_word": pricing.folded("said.speed"),
            "tier_ctx": pricing.code(rules.tiers, "tier_word"),
            "speed_ctx": pricing.code(rules.speeds, "speed_word"),
            "batch_ctx": str(int(Ctx.BATCH)),
            "slot": pricing.slot(rules, **names, at_s="at_s"),
            "factor": pricing.factor(rules, **names, place="place", at_s="at_s"),
            "numerators": numerators,
            "denominators": denominators,
            "claims_win": array(rules.claims_win),
            "unknown_ctx": str(pricing.UNKNOWN_CTX),
            "undecided_slot": str(SLOT_UNDECIDED),
        }

    def _exclusive(self) -> str:
        """Whether the dialect says that input leaves out cached tokens."""
        tests = [
            _rule(number, rule)
            for number, dialect in enumerate(self._ordered)
            for rule in dialect.exclusive
        ]
        return any_of(tests)


def _rule(dialect_no: int, rule: Exclusive) -> str:
    tests = [f"dialect_no = {dialect_no}"]
    if rule.providers:
        tests.append(f"said.provider IN {array(rule.providers)}")
    if rule.below:
        tests.append(f"{_version('scope_version')} < {_version(quoted(rule.below))}")
    return all_of(tests)


def _version(expression: str) -> str:
    """A dotted version as an array of numbers, which compares element by element."""
    return f"arrayMap(n -> toUInt32OrZero(n), extractAll({expression}::String, '\\\\d+'))"


def _texts(values: str) -> str:
    """Every attribute value as text; an array of strings is joined by commas."""
    return (
        "arrayMap((t, i, d, b, a) -> multiIf(isNotNull(t), assumeNotNull(t),"
        " isNotNull(i), toString(assumeNotNull(i)),"
        " isNotNull(d), toString(assumeNotNull(d)),"
        " isNotNull(b), toString(assumeNotNull(b)), arrayStringConcat(a, ',')),"
        f" {values}.string_value, {values}.int_value, {values}.double_value,"
        f" {values}.bool_value, {values}.array_value.values.string_value)"
    )


def _lines(expressions: Iterable[str]) -> str:
    return ",\n        ".join(expressions)


def _content_pattern() -> str:
    """RE2 for attribute names that may hold content: a listed name, or below one."""
    listed = "|".join(re.escape(name) for name in semconv.CONTENT)
    return rf"^({listed})($|\.)"
