"""The price book's rules as SQL: the resolver, tiers, places and time of day.

The rules are data (`farthing.economics.prices.rules`); `farthing.economics.prices` is
what they mean in Python, and this module writes the same as ClickHouse expressions.
Each function takes column names and returns one expression.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from farthing.collector.store.text import all_of, any_of, array, integers, quoted
from farthing.economics.prices.rates import Multiplier, SlotWindow
from farthing.economics.prices.rules import HOST_RE, Normalisation, Rules

UNKNOWN_CTX = 254
"""No way of serving that the price book knows."""
NO_FACTOR = 0


def folded(column: str) -> str:
    """Trimmed and in lower case, as `resolver.fold`."""
    return f"lower(trim(BOTH ' \\t\\r\\n' FROM {column}))"


def provider_by_name(rules: Rules, word: str) -> str:
    """Our name of a provider, empty if unknown."""
    aliases = rules.provider_aliases
    return f"transform({word}, {array(aliases)}, {array(aliases.values())}, '')"


def provider_by_host(rules: Rules, host: str) -> str:
    """The provider behind a host or URL, empty if unknown: the longest suffix wins."""
    hosts = sorted(rules.hosts, key=lambda name: -name.count("."))
    names = "|".join(_escaped(name) for name in hosts)
    name = f"trimRight(extract({host}, {quoted(HOST_RE)}), '.')"
    pattern = quoted(rf"(?:^|\.)({names})$")
    providers = array(rules.hosts[name] for name in hosts)
    return f"transform(extract({name}, {pattern}), {array(hosts)}, {providers}, '')"


def normalised(rules: Rules, provider: str, ref: str) -> str:
    """The normal form of a folded model reference."""
    steps: dict[str, list[Normalisation]] = {}
    for step in rules.normalisations:
        steps.setdefault(step.provider, []).append(step)
    cases = [
        f"{provider} = {quoted(name)}, {_replaced(ref, own)}"
        for name, own in steps.items()
    ]
    return _multi_if(cases, ref)


def stem(rules: Rules, model_id: str) -> str:
    """The id without one allowed suffix, empty if it has none."""
    return f"extract({model_id}, {quoted(rules.suffix)})"


def region(rules: Rules, provider: str, ref: str) -> str:
    """The region that a reference names, or empty."""
    cases = [
        f"{provider} = {quoted(row.provider)}, extract({ref}, {quoted(row.pattern)})"
        for row in rules.regions
    ]
    return _multi_if(cases, "''")


def unmapped(rules: Rules, provider: str, ref: str) -> str:
    """Whether a reference names a customer's own deployment."""
    tests = [
        all_of(
            [f"{provider} = {quoted(row.provider)}", f"match({ref}, {quoted(row.pattern)})"]
        )
        for row in rules.unmapped
    ]
    return any_of(tests)


def code(codes: Mapping[str, int], word: str) -> str:
    """The way of serving that a tier or speed names, or UNKNOWN_CTX."""
    numbers = integers(codes.values(), "UInt8")
    return f"transform({word}, {array(codes)}, {numbers}, {UNKNOWN_CTX}::UInt8)"


def slot(rules: Rules, *, provider: str, model: str, at_s: str) -> str:
    """The time-of-day slot of an instant."""
    cases = [
        f"{_window(rules, window, provider, model, at_s)}, {window.slot}"
        for window in rules.windows
    ]
    return f"{_multi_if(cases, '0')}::UInt8"


def factor(rules: Rules, *, provider: str, model: str, place: str, at_s: str) -> str:
    """The number (from 1) of the multiplier that holds, or NO_FACTOR."""
    cases = [
        f"{_multiplies(row, provider, model, place, at_s)}, {number}"
        for number, row in enumerate(rules.multipliers, start=1)
    ]
    return _multi_if(cases, str(NO_FACTOR))


def factor_arrays(rules: Rules) -> tuple[str, str]:
    """Numerators and denominators by number of multiplier + 1."""
    numerators = [1, *(row.numerator for row in rules.multipliers)]
    denominators = [1, *(row.denominator for row in rules.multipliers)]
    return integers(numerators, "Int64"), integers(denominators, "Int64")


def _window(
    rules: Rules, window: SlotWindow, provider: str, model: str, at_s: str
) -> str:
    day = f"toDateTime({at_s} + {window.utc_offset_s}, 'UTC')"
    joined = all_of if window.start_s <= window.end_s else any_of
    of_day = f"{at_s} % 86400"
    tests = [
        f"{provider} = {quoted(window.provider)}",
        f"{model} = {quoted(window.model)}",
        f"{at_s} >= {window.valid_from}",
        f"{at_s} < {window.valid_to}",
        joined([f"{of_day} >= {window.start_s}", f"{of_day} < {window.end_s}"]),
        f"toDayOfWeek({day}) IN {integers(window.weekdays, 'UInt8')}",
    ]
    days_off = rules.calendars.get(window.calendar, ())
    if days_off:
        tests.append(f"toString(toDate({day})) NOT IN {array(days_off)}")
    return all_of(tests)


def _multiplies(
    row: Multiplier, provider: str, model: str, place: str, at_s: str
) -> str:
    return all_of(
        [
            f"{provider} = {quoted(row.provider)}",
            f"{at_s} >= {row.valid_from}",
            f"{at_s} < {row.valid_to}",
            f"match({place}, {quoted(row.place)})",
            f"match({model}, {quoted(row.model)})",
        ]
    )


def _replaced(ref: str, steps: Iterable[Normalisation]) -> str:
    for step in steps:
        ref = f"replaceRegexpOne({ref}, {quoted(step.pattern)}, {quoted(step.replacement)})"
    return ref


def _multi_if(cases: Sequence[str], otherwise: str) -> str:
    return f"multiIf({', '.join(cases)}, {otherwise})" if cases else otherwise


def _escaped(text: str) -> str:
    return text.replace(".", r"\.")
