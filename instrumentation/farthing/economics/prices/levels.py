"""From published prices to the nine rates of a level, in integers."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from farthing.economics.prices.rates import (
    FEMTO_PER_USD_PER_MTOK,
    RATE_NAMES,
    Level,
    RateRow,
)


def femto_per_token(usd_per_mtok: Decimal) -> int:
    """USD per million tokens in femto-USD per token, rounded half to even."""
    return round(usd_per_mtok * FEMTO_PER_USD_PER_MTOK)


def usd_per_mtok(femto: int) -> str:
    """The shortest decimal text of a rate, in USD per million tokens."""
    text = f"{Decimal(femto).scaleb(-9):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def level(prices: Mapping[str, Decimal], *, audio_as_text: bool) -> Level:
    """The nine rates of published prices (USD per million tokens, by rate name).

    A bucket without its own price takes the price that the providers document for
    it: a cached read or a write costs plain input, reasoning costs output. It stays
    absent where no such rule exists: a long-lived write beside a surcharged short
    one, and audio, unless `audio_as_text` says that this provider's text price is
    its audio price too.
    """
    own = {name: femto_per_token(value) for name, value in prices.items()}
    plain = own.get("input")
    read = own.get("cache_read", plain)
    short = own.get("cache_write_5m", plain)
    long = own.get("cache_write_1h", plain if short == plain else None)
    output = own.get("output")
    heard = own.get("input_audio", plain if audio_as_text else None)
    if "cache_read" not in own:
        heard_again = own.get("cache_audio", heard)
    else:
        heard_again = own.get("cache_audio", read if audio_as_text else None)
    filled = {
        "input": plain,
        "cache_read": read,
        "cache_write_5m": short,
        "cache_write_1h": long,
        "input_audio": heard,
        "cache_audio": heard_again,
        "output": output,
        "reasoning": own.get("reasoning", output),
        "output_audio": own.get("output_audio", output if audio_as_text else None),
    }
    return tuple(filled[name] for name in RATE_NAMES)


def scaled(rates: Level, numerator: int, denominator: int) -> Level:
    """Every rate times a fraction, rounded half up to a whole femto-USD."""
    return tuple(
        None if rate is None else scaled_rate(rate, numerator, denominator)
        for rate in rates
    )


def scaled_rate(rate: int, numerator: int, denominator: int) -> int:
    return (2 * rate * numerator + denominator) // (2 * denominator)


def lay_over(rows: list[RateRow], top: RateRow) -> list[RateRow]:
    """Rows of one key with `top` in force for its period, the others cut to fit."""
    kept: list[RateRow] = []
    for row in rows:
        if row.valid_to <= top.valid_from or row.valid_from >= top.valid_to:
            kept.append(row)
            continue
        if row.valid_from < top.valid_from:
            kept.append(row.between(row.valid_from, top.valid_from))
        if row.valid_to > top.valid_to:
            kept.append(row.between(top.valid_to, row.valid_to))
    return sorted([*kept, top], key=lambda row: row.valid_from)
