"""An account in words: what was told, how it was priced, what it comes to.

Each function gives lines of plain text, for the terminal and for the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from farthing.collector.explain.account import Account, Entry, Part, PriceRow
from farthing.collector.explain.plain_json import day
from farthing.collector.report import amounts
from farthing.collector.report.plain import plain
from farthing.economics.prices.levels import usd_per_mtok
from farthing.economics.prices.rates import Ctx

_RULES: Final = {
    "": "it tells no usage that counts",
    "no_cache": "no cached tokens are told, so input is input",
    "inclusive": "its input includes the cached tokens, which were taken out",
    "assumed_inclusive": (
        "nobody says whether its input includes the cached tokens; OpenTelemetry's"
        " convention is assumed, and they were taken out"
    ),
    "exclusive": "its input leaves out the cached tokens",
    "proven_exclusive": (
        "it tells more cached tokens than input, so its input leaves them out"
    ),
}

FLAGS: Final[Mapping[str, str]] = {
    "id_made": "its emitter gave it no id; it has one of what it says",
    "time_assumed": "its end is not told, or cannot be right; its start stands for it,"
    " or the time of loading",
    "input_missing": "it tells no input tokens: the cost is a lower bound",
    "output_missing": "it tells no output tokens, as of a stream that was closed early:"
    " the cost is a lower bound",
    "usage_partial": "its stream was left or cut: what it told by then is priced, and"
    " the cost is a lower bound",
    "usage_missing": "it was sent and given up before an answer: it may have been"
    " billed all the same",
    "convention_assumed": "nobody says whether its input includes the cached tokens;"
    " OpenTelemetry's convention (it does) was taken",
    "convention_contradicted": "it is said to include the cached tokens in its input,"
    " which its numbers disprove",
    "clipped": "a part was larger than its whole; the rest counts as 0",
    "reasoning_apart": "its output leaves out the reasoning, which was billed on top",
    "compaction": "tokens of a compaction of the conversation are in it",
    "ttl_assumed": "how long the cache is kept is not told; the short lifetime's price"
    " was taken",
    "host_assumed": "it was sent to a gateway; OpenAI is taken to be behind it",
    "tier_assumed": "the tier that served it is not told; the standard one was taken",
    "deployment_assumed": "the type of the deployment is not told; a global one was"
    " taken",
    "models_differ": "another model answered than was asked for",
    "multiplier": "priced differently where it was served, by the factor below",
    "provider_reported": "the provider says what it charged, which counts",
    "back_dated": "the price is applied before the day of the source's own data",
    "derived": "some rate follows from a published multiple",
    "unconfirmed": "the price's source no longer vouches for that day",
}
_INPUTS: Final = (
    "input", "cache_read", "cache_write_5m", "cache_write_1h", "input_audio",
    "cache_audio",
)  # fmt: skip


def told(found: Account) -> Iterator[str]:
    """What the emitter said of the span, and how it was read."""
    said = found.told.fields
    yield f"{said['name']} ({said['kind']}), ended {utc(said['time'])}"
    scope = f"{said['scope'] or 'an unnamed scope'} {said['scope_version']}".strip()
    rule = said["usage_rule"]
    yield f"told by {scope}, read as {said['dialect']}"
    if said["cost_state"]:
        yield f"usage {rule or 'none'}: {_RULES.get(rule, rule)}"
        yield from _matched(found.told)
    for flag in said["flags"]:
        yield f"{flag}: {FLAGS[flag]}" if flag in FLAGS else str(flag)
    for sibling in found.siblings:
        scope = sibling.scope or "an unnamed scope"
        yield (
            f"told too by span {sibling.span_id} of {scope}: left out as"
            f" {sibling.reason}"
        )


def _matched(entry: Entry) -> Iterator[str]:
    said = entry.fields
    which = "response" if said["response_model"] else "request"
    name = said[f"{which}_model"]
    if said["model_match"]:
        found = f"{said['provider']} / {said['model']} ({said['model_match']})"
    else:
        found = f"no model of {said['provider'] or 'an unknown provider'}"
    yield f"{which} model {name!r} is {found}"


def title(entry: Entry) -> str:
    """What the entry is, and where it came from."""
    said = entry.fields
    what = "as told" if said["entry"] == "span" else f"correction: {said['reason']}"
    return f"{what}; loaded {utc(said['ingested_at'])} by {said['load']}"


def priced_by(entry: Entry) -> Iterator[str]:
    """The row of the price list that an entry was priced with, and its source."""
    said = entry.fields
    if said["owner_span_id"]:
        yield f"the call is told by span {said['owner_span_id']}"
    if entry.row is not None:
        yield from _row_lines(entry, entry.row)
    elif said["price_row"]:
        yield f"price row {said['price_row']} is not in the ledger's price list"


def _row_lines(entry: Entry, row: PriceRow) -> Iterator[str]:
    yield (
        f"price row {row.row_id} of catalogue {row.catalogue[:12]}: {row.provider} /"
        f" {row.model}, {Ctx(row.ctx).name.lower()}"
        + (f", time of day {row.slot}" if row.slot else "")
    )
    begins = day(row.valid_from) if row.valid_from else "ever"
    ends = "further notice" if row.is_open else day(row.valid_to + 1)
    source = row.source or "genai-prices"
    checked = f", checked on {row.checked_on}" if row.checked_on else ""
    yield f"from {begins} to {ends}; {row.origin}: {source}{checked}"
    if row.thresholds:
        bounds = ", ".join(amounts.count(bound) for bound in row.thresholds)
        prompt = abs(sum(part.units for part in entry.parts if part.name in _INPUTS))
        length = f"{amounts.count(prompt)} input tokens against {bounds}"
        yield f"level {entry.level}: {length}"
    if entry.factor is not None:
        factor = entry.factor
        yield (
            f"rates times {factor.numerator}/{factor.denominator}:"
            f" {factor.label or 'geography'} ({factor.source})"
        )


def part_cells(part: Part) -> list[str]:
    """One multiplication: bucket, units, USD per million, USD."""
    if part.rate_femto is None:
        return [part.name, amounts.count(part.units), "no rate", amounts.UNKNOWN]
    assert part.usd is not None
    rate = usd_per_mtok(part.rate_femto)
    return [part.name, amounts.count(part.units), rate, plain(part.usd)]


def comes_to(entry: Entry) -> Iterator[str]:
    """What an entry costs, and what it is compared with."""
    said = entry.fields
    if not said["cost_state"]:
        yield "not a billed call: it has no cost of its own"
        return
    why = said["cost_reason"]
    state = f"{said['cost_state']}: {why}" if why else said["cost_state"]
    listed = entry.list_usd
    if listed is not None and listed != entry.cost_usd:
        yield f"list price {plain(listed)} USD"
    if said["claimed_usd"] is not None:
        claim = said["claimed_usd"]
        beside = "" if listed is None else f", {plain(claim - listed)} beside the list"
        yield f"the emitter claims {plain(claim)} USD{beside}"
    cost = "not known" if entry.cost_usd is None else f"{plain(entry.cost_usd)} USD"
    reported = ", the provider's own figure" if entry.is_reported else ""
    yield f"cost {cost} ({state}{reported})"
    if not entry.adds_up:
        yield f"THIS DOES NOT ADD UP: the parts give {_plain(entry.expected_usd)}"


def net(found: Account) -> Iterator[str]:
    """What the span costs after every correction, and by today's price book."""
    if not found.told.fields["cost_state"]:
        return
    net = "not known" if found.net_usd is None else f"{plain(found.net_usd)} USD"
    calls = found.net_calls
    if calls == 0:
        yield f"Net: {net}; it counts for no call"
    else:
        yield f"Net: {net}, {calls} {'call' if calls == 1 else 'calls'}"
    if found.today is None:
        return
    if found.today_differs:
        now = found.today
        cost = "not known" if now.usd is None else f"{plain(now.usd)} USD"
        ended = f"{found.told.fields['time']:%Y-%m-%d}"
        yield f"Today's price book says {cost} ({now.state}), row {now.row_id}"
        yield f"  `farthing reprice --since {ended} --dry-run` shows what would change"
    else:
        yield "Today's price book says the same"


def utc(moment: datetime) -> str:
    """A time in UTC to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _plain(usd: Decimal | None) -> str | None:
    return None if usd is None else plain(usd)
