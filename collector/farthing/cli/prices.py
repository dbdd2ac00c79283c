"""`farthing prices`: what a model costs and why, and what changed."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from farthing.cli import BAD_NEWS, show
from farthing.cli.options import Moment, config_option, json_option
from farthing.cli.price_changes import Change, changes
from farthing.cli.price_quotes import lookup_json, print_quotes, print_steps
from farthing.cli.show import Column
from farthing.collector.config import load_settings
from farthing.collector.price_sources import PriceSources, book_of, own_book
from farthing.collector.pricebook import (
    OVERLAY_FILE,
    load_user_prices,
    write_catalogue,
)
from farthing.economics.prices.call import Call
from farthing.economics.prices.catalogue import Catalogue
from farthing.economics.prices.explain import Quote, explain, lookup, near
from farthing.economics.prices.golden import check as check_file
from farthing.economics.usage import TokenBuckets
from farthing.errors import ConfigError

_PACKAGED: Final = "packaged"
_SHOWN_OF_HASH: Final = 12
_EXAMPLE: Final = TokenBuckets(input=1000, cache_read=1000, output=500)


class Usage(click.ParamType[TokenBuckets]):
    """`input=1200,cache_read=800,output=300`: tokens by bucket."""

    name = "buckets"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> TokenBuckets:
        """The buckets; those that are not named are 0."""
        if isinstance(value, TokenBuckets):
            return value
        pairs = [part.partition("=") for part in value.split(",")]
        known = tuple(TokenBuckets.__dataclass_fields__)
        for name, _, number in pairs:
            if name.strip() not in known or not number.strip().isdecimal():
                self.fail(
                    f"{name!r} is not BUCKET=NUMBER with a bucket of"
                    f" {', '.join(known)}",
                    param,
                    ctx,
                )
        return TokenBuckets(**{name.strip(): int(number) for name, _, number in pairs})


@click.group()
def command() -> None:
    """Prices of the price book, yours on top: look up, check, compare."""


@command.command("lookup")
@click.argument("model")
@click.option(
    "--at",
    type=Moment(future=True),
    metavar="WHEN",
    help="An ISO date or time, UTC; now if left out.",
)
@click.option("--provider", default="", help="Only at this one, such as openai or aws.")
@click.option(
    "--tokens",
    type=Usage(),
    metavar="BUCKET=N,…",
    help="Price this call, as in input=1200,cache_read=800,output=300.",
)
@click.option("--tier", default="", help="Service tier of the call, such as priority.")
@click.option("--batch", is_flag=True, help="The call is part of a batch.")
@click.option("--region", default="", help="Region of the call, such as us-east-1.")
@config_option
@json_option
def look_up(
    model: str,
    at: datetime | None,
    provider: str,
    tokens: TokenBuckets | None,
    tier: str,
    region: str,
    config: Path | None,
    *,
    batch: bool,
    as_json: bool,
) -> None:
    """What MODEL costs, and how the price of one call comes about, step by step."""
    catalogue = _in_force(config)
    at = at or datetime.now(UTC)
    quotes = lookup(model, catalogue, at=at, provider=provider)
    if not quotes:
        _unknown(model, catalogue, provider, as_json=as_json)
    call = Call(
        provider=provider or _explained(quotes, model, catalogue),
        at=at,
        buckets=tokens or _EXAMPLE,
        response_model=model,
        service_tier=tier,
        batch=batch,
        region=region,
    )
    told = explain(call, catalogue)
    if as_json:
        show.as_json(lookup_json(model, at, quotes, told))
    else:
        print_quotes(model, at, quotes)
        print_steps(call, told)


def _in_force(config: Path | None) -> Catalogue:
    """The price book that a collector with these settings uses."""
    return PriceSources.of(load_settings(config=config)).read()


def _unknown(model: str, catalogue: Catalogue, provider: str, *, as_json: bool) -> None:
    alike = near(model, catalogue, provider=provider)
    if as_json:
        show.as_json({"model": model, "quotes": [], "near": list(alike)})
    else:
        where = f" at {provider}" if provider else ""
        hint = (
            f"did you mean {', '.join(alike)}?"
            if alike
            else "a price file of yours can give it one, see docs/prices.md"
        )
        click.echo(
            f"farthing: the price book has no {model!r}{where}; {hint}", err=True
        )
    sys.exit(BAD_NEWS)


def _explained(quotes: tuple[Quote, ...], model: str, catalogue: Catalogue) -> str:
    """The provider whose call is explained: the maker of the model, as far as the
    price book knows who resells, else the first that has a price for it."""
    makers = {
        name.partition("/")[0]
        for _, name in catalogue.models
        if name.endswith(f"/{model.lower()}")
    }
    priced = [quote.provider for quote in quotes if quote.rows]
    made = [name for name in priced if name in makers]
    return (made or priced or [quotes[0].provider])[0]


@command.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@config_option
@json_option
def check(file: Path, config: Path | None, *, as_json: bool) -> None:
    """Price the calls of FILE and compare with what they are said to cost.

    One JSON object a line; tests/economics/golden_prices.jsonl shows the form. Ends
    with 1 if any comes out otherwise.
    """
    try:
        result = check_file(file, _in_force(config))
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ConfigError(f"{file}: a line is not a priced call: {what}") from error
    if as_json:
        show.as_json(result.to_json())
    else:
        _print_check(result.to_json())
    if result.wrong:
        sys.exit(BAD_NEWS)


def _print_check(result: dict[str, Any]) -> None:
    if result["wrong"]:
        names = ("id", "expected", "got", "why")
        show.table(
            [Column(name) for name in names],
            [[str(wrong[name]) for name in names] for wrong in result["wrong"]],
        )
    show.line(f"{result['right']} of {result['of']} right")


@command.command("compile")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--overlay",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=OVERLAY_FILE,
    help="Corrections laid over genai-prices, in place of Farthing's own.",
)
@json_option
def compile_book(folder: Path, overlay: Path, *, as_json: bool) -> None:
    """Compile the genai-prices that is installed into a price book in FOLDER.

    A collector whose setting price_book names FOLDER prices by it from its next batch
    on, without a restart; the folder can be copied to where there is no internet.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = _held(folder)
    try:
        write_catalogue(folder, overlay)
    except ValueError as error:
        raise ConfigError(f"{overlay}: does not fit this genai-prices: {error}") from (
            error
        )
    made = book_of(folder)
    told = {
        "folder": str(folder),
        "catalogue": made.sha256,
        "base": made.rules.base,
        "rows": sum(1 for _ in made),
        "changes": None if before is None else len(changes(before, made)),
    }
    if as_json:
        show.as_json(told)
        return
    show.line(
        f"{folder}: {told['rows']:,} rows of {told['base']},"
        f" catalogue {made.sha256[:_SHOWN_OF_HASH]}"
    )
    if told["changes"] is not None:
        show.line(f"{told['changes']} prices differ from what was there")


def _held(folder: Path) -> Catalogue | None:
    try:
        return book_of(folder)
    except ConfigError:
        return None


@command.command("diff")
@click.argument("before")
@click.argument("after")
@json_option
def diff(before: str, after: str, *, as_json: bool) -> None:
    """What prices differ between two price books, and by how much.

    Each is `packaged`, a price file of yours (laid over the packaged book), or a folder
    with a compiled book (rates.tsv, models.tsv, rules.json).
    """
    found = changes(_book(before), _book(after))
    if as_json:
        show.as_json([asdict(change) for change in found])
    elif found:
        _print_changes(found)
    else:
        show.line("The prices are the same.")


def _book(name: str) -> Catalogue:
    path = Path(name)
    if path.is_dir():
        return book_of(path)
    if path.is_file():
        return load_user_prices(path, own_book())
    if name == _PACKAGED:
        return own_book()
    raise ConfigError(
        f"{name}: there is no such file or folder; 'packaged' is Farthing's own book"
    )


def _print_changes(found: list[Change]) -> None:
    show.table(
        [
            Column("provider"),
            Column("model"),
            Column("served as", rank=1),
            Column("from"),
            Column("what"),
        ],
        [
            [
                change.provider,
                change.model,
                change.served_as,
                change.valid_from or "always",
                change.told(),
            ]
            for change in found
        ],
    )
    models = len({(change.provider, change.model) for change in found})
    show.line(f"changes: {len(found)}, models: {models}; USD per million tokens")
