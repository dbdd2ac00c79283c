"""Compiles the dialects into the statement that turns OTLP into ledger entries.

Every attribute name that any dialect reads gets a number. A span's attributes become
slots through one table, `slot_table[dialect, name]`: slot 0 is an attribute that nobody
reads, any other is a field's number and, in its last bits, a rank (the first alias of a
field is rank 0). Sorted by slot, a field is the first value of its number that is not
empty, whatever the emitter called it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from farthing import semconv
from farthing.collector.dialects import (
    IN_USAGE,
    NUMBERS,
    OPERATIONS,
    TEXTS,
    Dialect,
    Exclusive,
)
from farthing.collector.store import pricing
from farthing.collector.store.text import (
    all_of,
    any_of,
    array,
    fill,
    integers,
    quoted,
    sql_file,
)
from farthing.economics.prices.rules import Rules
from farthing.economics.usage import MAX_TOKENS, WHOLE_TOTALS

OFFICIAL_SCOPES = "opentelemetry.instrumentation."
"""Scopes of the official packages, whose convention is known, not assumed."""

_SAID = (
    *(name for name in TEXTS if name != "request_tier"),
    *(name for name in semconv.RESOURCE if name not in TEXTS),
)
"""The texts of a span in order, those of its resource after them."""
_FIELD_NO = {field: no for no, field in enumerate((*NUMBERS, *TEXTS), start=1)}
_RANK_BITS = 4
"""So many bits of a slot are the rank."""
_LAST_RANK = (1 << _RANK_BITS) - 1
"""That of empty values, whatever they are called."""


@dataclass(frozen=True)
class Decoder:
    """The statement for a set of dialects."""

    dialects: Sequence[Dialect]
    rules: Rules

    def statement(self, source: str, *, as_of_ns: str) -> str:
        """The SELECT that reads the table `source` and yields columns of `spans`, as it
        is at `as_of_ns` (nanoseconds since 1970): the same whenever it is run."""
        own = {"source": source, "as_of_ns": as_of_ns}
        return fill(sql_file("decode.sql"), {**own, **self._values()})

    def _values(self) -> dict[str, str]:
        return {
            **self._resource_values(),
            **self._field_values(),
            **self._kind_values(),
            **_count_values(),
            **pricing.values(self.rules),
            "dialect_no": self._dialect_number(),
            "dialect_names": array(dialect.name for dialect in self._ordered),
            "exclusive": self._exclusive(),
            "reasoning_apart": self._reasoning_apart(),
            "estimating": integers(
                (no for no, d in enumerate(self._ordered) if d.estimates), "UInt16"
            ),
            "zeros_untold": integers(
                (no for no, d in enumerate(self._ordered) if d.zeros_untold), "UInt16"
            ),
            "whole_totals": array(sorted(WHOLE_TOTALS)),
            "known_scope": (
                f"greatest(dialect_no < {len(self._ordered) - 1},"
                f" startsWith(head.scope, {quoted(OFFICIAL_SCOPES)}))"
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

    def _slot_table(self) -> str:
        """Row per dialect, column per key, one more for keys that nobody reads."""
        table: list[int] = []
        for dialect in self._ordered:
            if max(map(len, dialect.attributes.values()), default=0) > _LAST_RANK:
                raise ValueError(f"dialect {dialect.name!r} has too many names of one")
            slot_of = {
                name: (_FIELD_NO[field] << _RANK_BITS) + rank
                for field, aliases in dialect.attributes.items()
                for rank, name in enumerate(aliases)
            }
            table += [slot_of.get(key, 0) for key in self._keys] + [0]
        return integers(table, "UInt16")

    def _field_values(self) -> dict[str, str]:
        return {
            "keys": array(self._keys),
            "key_numbers": integers(range(1, len(self._keys) + 1), "UInt16"),
            "keys_count": str(len(self._keys) + 1),
            "slot_table": self._slot_table(),
            "rank_bits": str(_RANK_BITS),
            "last_rank": str(_LAST_RANK),
            "span_texts": _TEXTS_OF_SPAN,
            "usage_text": self._usage_text(),
            "in_usage": quoted(_IN_USAGE),
            "number_fields": _lines(_value(name) for name in NUMBERS),
            "text_fields": _lines(self._text(name) for name in _SAID),
            "text_types": _types(_SAID),
            "has_no_id": "trim(BOTH '\\0' FROM head.span) = ''",
            "has_no_parent": "trim(BOTH '\\0' FROM head.parent) = ''",
            # Of what it says: told again the span is known, and others differ.
            "made_id": "reinterpretAsFixedString(cityHash64(head, said, tokens))",
            # An attribute without a value, which some emitters send, tells nothing.
            "has_input": f"notEmpty({_value('input_total')})",
            "has_output": f"notEmpty({_value('output_total')})",
            "has_reasoning": f"notEmpty({_value('reasoning')})",
            "is_later": self._is_later(),
            "content": quoted(_content_pattern()),
        }

    def _is_later(self) -> str:
        """Whether the span tells what only later versions of its emitter tell."""
        names = {
            name
            for dialect in self.dialects
            for rule in dialect.exclusive
            for name in rule.unless_told
        }
        return f"hasAny(keys, {array(sorted(names))})"

    def _usage_text(self) -> str:
        """A usage object that is told as the text of an attribute; mostly empty."""
        cases = []
        for number, dialect in enumerate(self._ordered):
            parts = [
                part.format(answer=_attribute(name))
                for name in dialect.answers
                for part in _OF_ANSWER
            ]
            for name, key in dialect.usages:
                text = _attribute(name)
                parts.append(f"JSONExtractRaw({text}, {quoted(key)})" if key else text)
            if parts:
                cases.append(f"dialect_no = {number}, concat({', '.join(parts)}, '')")
        return f"multiIf({', '.join(cases)}, '')" if cases else "''"

    def _text(self, field: str) -> str:
        """What `said` holds of a field: the span's own word, else the next best one."""
        if field not in TEXTS:
            return f"resource.{field}"
        otherwise = {
            **{name: f"resource.{name}" for name in semconv.RESOURCE},
            "operation": self._operation_of_name(),
            "service_tier": _value("request_tier"),
            "error_type": "if(head.status = 2, 'error', '')",
        }.get(field)
        value = _value(field)
        return f"coalesce(nullIf({value}, ''), {otherwise})" if otherwise else value

    def _operation_of_name(self) -> str:
        named = {n: o for d in self.dialects for n, o in d.span_names.items()}
        if not named:
            return "''"
        return f"transform(head.name, {array(named)}, {array(named.values())}, '')"

    def _resource_values(self) -> dict[str, str]:
        fields = []
        for aliases in semconv.RESOURCE.values():
            found = [f"texts[indexOf(keys, {quoted(name)})]" for name in aliases]
            wrapped = [f"nullIf({value}, '')" for value in found[:-1]]
            fields.append(f"coalesce({', '.join([*wrapped, found[-1]])})")
        return {
            "resource_fields": _lines(fields),
            "resource_types": _types(semconv.RESOURCE),
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
        private = [
            str(number) for number, d in enumerate(self._ordered) if d.private_names
        ]
        return {
            "operations": array(kinds),
            "operation_kinds": array(kinds.values()),
            "known_operations": array(kinds)[1:-1],
            "name": (
                f"if(dialect_no IN ({', '.join(private)}), said.operation,"
                " substring(head.name, 1, 128))"
                if private
                else "substring(head.name, 1, 128)"
            ),
        }

    def _exclusive(self) -> str:
        """Whether the dialect says that input leaves out cached tokens."""
        tests = [
            _rule(number, rule)
            for number, dialect in enumerate(self._ordered)
            for rule in dialect.exclusive
        ]
        return any_of(tests)

    def _reasoning_apart(self) -> str:
        """Whether the dialect says that output leaves out the reasoning."""
        providers = [
            f"({number}, {quoted(provider)})"
            for number, dialect in enumerate(self._ordered)
            for provider in dialect.reasoning_apart
        ]
        return f"(dialect_no, said.provider) IN ({', '.join(providers)})"


def _value(field: str) -> str:
    """What a span tells of `field`, empty where that is nothing."""
    return f"found[indexOf(fields, {_FIELD_NO[field]})]"


def _rule(dialect_no: int, rule: Exclusive) -> str:
    tests = [f"dialect_no = {dialect_no}"]
    if rule.providers:
        tests.append(f"said.provider IN {array(rule.providers)}")
    if rule.unless_told:
        tests.append("NOT is_later")
    if rule.unless_streamed:
        tests.append(
            "NOT (lower(said.streamed) = 'true'"
            f" AND position(said.request_model, {quoted(rule.unless_streamed)}) > 0)"
        )
    if rule.below:
        tests.append(
            f"{_version('head.scope_version')} < {_version(quoted(rule.below))}"
        )
    return all_of(tests)


def _version(expression: str) -> str:
    """A dotted version as an array of numbers, which compares element by element."""
    return (
        f"arrayMap(n -> toUInt32OrZero(n), extractAll({expression}::String, '\\\\d+'))"
    )


def _attribute(name: str) -> str:
    """The text of a span's attribute, empty where it is absent."""
    at = f"indexOf(s.attributes.key, {quoted(name)})"
    return f"s.attributes.value.string_value[{at}]"


_OF_ANSWER = (
    """'"id":', JSONExtractRaw({answer}, 'id')""",
    """',"service_tier":', JSONExtractRaw({answer}, 'service_tier')""",
    "',', JSONExtractRaw({answer}, 'usage')",
)
_IN_USAGE = (
    rf"""['"]({"|".join(IN_USAGE)})['"]: ?(?:['"]([A-Za-z0-9_.:-]+)['"]|([0-9]+))"""
)
"""Name, word or number of each entry; what is null, or None, is no entry."""

_TEXTS_OF_SPAN = (
    "arrayMap((t, i, d, b, a) -> multiIf("
    "isNotNull(i), toString(assumeNotNull(i)), notEmpty(t), t,"
    " isNotNull(d), toString(assumeNotNull(d)),"
    " isNotNull(b), toString(assumeNotNull(b)), arrayStringConcat(a, ',')), "
    + ", ".join(
        f"s.attributes.value.{name}"
        for name in (
            "string_value", "int_value", "double_value", "bool_value",
            "array_value.values.string_value",
        )
    )
    + ")"
)  # fmt: skip
"""Every attribute value as text; an array of strings is joined by commas."""


def _count_values() -> dict[str, str]:
    """Each count by name: in `counts` as told, in `told` as far as it is believed."""
    counts = {name: f"counts[{place}]" for place, name in enumerate(NUMBERS, start=1)}
    cached = ("cache_read", "cache_write", "cache_write_5m", "cache_write_1h")
    return {
        **counts,
        **{
            f"told_{name}": told.replace("counts", "told")
            for name, told in counts.items()
        },
        "any_cached": any_of([f"{counts[name]} > 0" for name in cached]),
        "no_counts": integers([0] * len(NUMBERS), "Int64"),
        "most_tokens": str(MAX_TOKENS),
    }


def _types(names: Iterable[str]) -> str:
    return quoted(f"Tuple({', '.join(f'{name} String' for name in names)})")


def _lines(expressions: Iterable[str]) -> str:
    return ",\n        ".join(expressions)


def _content_pattern() -> str:
    """RE2 for attribute names that may hold content: a listed name, or below one."""
    listed = "|".join(re.escape(name) for name in semconv.CONTENT)
    return rf"^({listed})($|\.)|^usage:"
