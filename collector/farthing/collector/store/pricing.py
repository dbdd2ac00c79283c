"""The price book's rules as SQL: the resolver, tiers, places and time of day.

The rules are data (`farthing.economics.prices.rules`); `farthing.economics.prices` is
what they mean in Python, and this module writes the same as ClickHouse expressions.
Each function takes column names and returns one expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from farthing.collector.store.text import all_of, any_of, array, integers, quoted
from farthing.economics.prices.call import Flag
from farthing.economics.prices.cost import MAX_CLAIM_USD
from farthing.economics.prices.rates import (
    OPEN_END,
    SLOT_UNDECIDED,
    Ctx,
    Multiplier,
    SlotWindow,
)
from farthing.economics.prices.rules import HOST_RE, OTHERS_RE, PROFILE_RE, Rules

UNKNOWN_CTX = 254
"""No way of serving that the price book knows."""
NO_FACTOR = 0
_DAYS_OF_WEEK = 7


def values(rules: Rules) -> dict[str, str]:
    """Everything that decode.sql has filled in from the price book."""
    numerators, denominators = factor_arrays(rules)
    return {
        "provider_word": folded("said.provider"),
        "host_word": folded("said.host"),
        "ref": folded(
            "if(said.response_model != '' AND NOT"
            f" match(lower(said.request_model), {quoted(PROFILE_RE)}),"
            " said.response_model, said.request_model)"
        ),
        "asked_ref": folded("said.request_model"),
        "geo": folded("said.geo"),
        "region_said": folded("said.region"),
        "deployment": folded("said.deployment"),
        "provider_by_name": provider_by_name(rules, "provider_word"),
        "server": server("host_word"),
        "believed_provider": "multiIf(named_provider != 'anthropic', named_provider,"
        f" match(server, {quoted(OTHERS_RE)}), '',"
        f" match(ref, {quoted(PROFILE_RE)}), 'aws', named_provider)",
        "provider_by_server": provider_by_server(rules, "server"),
        "is_own_host": f"match(server, {quoted(rules.own_hosts)})",
        "normalised": normalised(rules, "asked"),
        "id": model_id("wanted"),
        "stem": stem(rules, "wanted"),
        "region": region(rules, "asked"),
        "unmapped": unmapped(rules, "asked"),
        "tier_word": folded("said.service_tier"),
        "speed_word": folded("said.speed"),
        "tier_ctx": code(rules.tiers, "tier_word"),
        "speed_ctx": code(rules.speeds, "speed_word"),
        "batch_ctx": str(int(Ctx.BATCH)),
        "unserved_tiers": array(rules.unserved_tiers),
        "slot": slot(rules, provider="provider", model="model_word", at_s="at_s"),
        "factor": factor(
            rules, provider="provider", model="model_word", place="place", at_s="at_s"
        ),
        "assumed_factors": integers(_assumed_factors(rules), "UInt8"),
        "factor_words": array(["", *map(_factor_word, rules.multipliers)]),
        "numerators": numerators,
        "denominators": denominators,
        "claims_win": array(rules.claims_win),
        "most_claimed": str(MAX_CLAIM_USD),
        "unknown_ctx": str(UNKNOWN_CTX),
        "undecided_slot": str(SLOT_UNDECIDED),
    }


def folded(column: str) -> str:
    """Trimmed and in lower case, as `resolver.fold`."""
    return f"lower(trim(BOTH ' \\t\\r\\n' FROM {column}))"


def provider_by_name(rules: Rules, word: str) -> str:
    """Our name of a provider, empty if unknown."""
    aliases = rules.provider_aliases
    return f"transform({word}, {array(aliases)}, {array(aliases.values())}, '')"


def server(host: str) -> str:
    """The name of the host in a folded host, authority or URL."""
    return f"trimRight(extract({host}, {quoted(HOST_RE)}), '.')"


def provider_by_server(rules: Rules, server: str) -> str:
    """The provider behind a host, empty if unknown: the longest suffix wins."""
    hosts = sorted(rules.hosts, key=lambda name: -name.count("."))
    names = "|".join(re.escape(name) for name in hosts)
    pattern = quoted(rf"(?:^|\.)({names})$")
    providers = array(rules.hosts[name] for name in hosts)
    return f"transform(extract({server}, {pattern}), {array(hosts)}, {providers}, '')"


def normalised(rules: Rules, asked: str) -> str:
    """The normal form of a model reference, as `provider:reference` like `asked`.

    Each step's pattern carries its provider, so that the whole is a function of one
    dictionary-encoded column and runs once per distinct reference.
    """
    for step in rules.normalisations:
        pattern = _keyed(step.provider, step.pattern)
        replacement = f"{step.provider}:{step.replacement}"
        asked = f"replaceRegexpOne({asked}, {quoted(pattern)}, {quoted(replacement)})"
    return asked


def model_id(wanted: str) -> str:
    """The reference of a `provider:reference`."""
    return f"substring({wanted}, position({wanted}, ':') + 1)"


def stem(rules: Rules, wanted: str) -> str:
    """The id without one allowed suffix, empty if it has none."""
    pattern = "^[^:]*:" + rules.suffix.removeprefix("^")
    return f"extract({wanted}, {quoted(pattern)})"


def region(rules: Rules, asked: str) -> str:
    """The region that a reference names, or empty."""
    found = [
        f"extract({asked}, {quoted(_keyed(row.provider, row.pattern))})"
        for row in rules.regions
    ]
    return f"concat({', '.join(found)}, '')"


def unmapped(rules: Rules, asked: str) -> str:
    """Whether a reference names a customer's own deployment."""
    return any_of(
        [
            f"match({asked}, {quoted(f'^{row.provider}:.*(?:{row.pattern})')})"
            for row in rules.unmapped
        ]
    )


def code(codes: Mapping[str, int], word: str) -> str:
    """The way of serving that a tier or speed names, or UNKNOWN_CTX."""
    numbers = integers(codes.values(), "UInt8")
    return f"transform({word}, {array(codes)}, {numbers}, {UNKNOWN_CTX}::UInt8)"


def slot(rules: Rules, *, provider: str, model: str, at_s: str) -> str:
    """The time-of-day slot of an instant; windows that differ in the model are one."""
    windows: dict[SlotWindow, list[str]] = {}
    for window in rules.windows:
        windows.setdefault(replace(window, model=""), []).append(window.model)
    cases = [
        f"{_window(rules, window, models, provider, model, at_s)}, {window.slot}"
        for window, models in windows.items()
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


def _factor_word(row: Multiplier) -> str:
    return "" if row.numerator == row.denominator else row.word


def _assumed_factors(rules: Rules) -> Iterable[int]:
    for number, row in enumerate(rules.multipliers, start=1):
        if row.label == Flag.DEPLOYMENT_ASSUMED:
            yield number


def _window(
    rules: Rules,
    window: SlotWindow,
    models: Sequence[str],
    provider: str,
    model: str,
    at_s: str,
) -> str:
    day = f"toDateTime({at_s} + {window.utc_offset_s}, 'UTC')"
    joined = all_of if window.start_s <= window.end_s else any_of
    of_day = f"{at_s} % 86400"
    tests = [
        f"{provider} = {quoted(window.provider)}",
        f"{model} IN {array(models)}",
        *_valid(at_s, window.valid_from, window.valid_to),
        joined([f"{of_day} >= {window.start_s}", f"{of_day} < {window.end_s}"]),
    ]
    if len(window.weekdays) < _DAYS_OF_WEEK:
        tests.append(f"toDayOfWeek({day}) IN {integers(window.weekdays, 'UInt8')}")
    days_off = rules.calendars.get(window.calendar, ())
    if days_off:
        tests.append(f"toString(toDate({day})) NOT IN {array(days_off)}")
    return all_of(tests)


def _multiplies(
    row: Multiplier, provider: str, model: str, place: str, at_s: str
) -> str:
    tests = [
        f"{provider} = {quoted(row.provider)}",
        *_valid(at_s, row.valid_from, row.valid_to),
    ]
    for word, pattern in ((place, row.place), (model, row.model)):
        if pattern:
            tests.append(f"match({word}, {quoted(pattern)})")
    return all_of(tests)


def _valid(at_s: str, valid_from: int, valid_to: int) -> list[str]:
    """That an instant lies within, as far as there are bounds: each test is planned
    anew with every batch."""
    return [
        *([f"{at_s} >= {valid_from}"] if valid_from else []),
        *([f"{at_s} < {valid_to}"] if valid_to != OPEN_END else []),
    ]


def _keyed(provider: str, pattern: str) -> str:
    """A pattern of one provider's references, for `provider:reference`."""
    return f"^{provider}:{pattern.removeprefix('^')}"


def _multi_if(cases: Sequence[str], otherwise: str) -> str:
    return f"multiIf({', '.join(cases)}, {otherwise})" if cases else otherwise
