"""Where the price book in force comes from: a compiled book, an operator's file on top.

The book is the folder that the settings name, else the one that comes with Farthing; if
another genai-prices is installed than it was compiled from, it is compiled anew.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from farthing.collector.config import Settings
from farthing.collector.pricebook import catalogue_texts, load_user_prices
from farthing.economics.prices.catalogue import (
    Catalogue,
    catalogue_of_texts,
    load_catalogue,
)
from farthing.economics.prices.packaged import MODELS_FILE, RATES_FILE, RULES_FILE
from farthing.errors import ConfigError

log = logging.getLogger(__name__)

BOOK_FILES = (RATES_FILE, MODELS_FILE, RULES_FILE)


@dataclass(frozen=True, slots=True)
class PriceSources:
    """The files of a price book. `folder` None is the book that comes with Farthing."""

    prices_file: Path | None = None
    folder: Path | None = None

    @classmethod
    def of(cls, settings: Settings) -> PriceSources:
        """Those that the settings name."""
        return cls(settings.prices_file, settings.price_book)

    def read(self) -> Catalogue:
        """The price book that they hold now. Raises ConfigError with every problem."""
        book = book_of(self.folder) if self.folder else own_book()
        return load_user_prices(self.prices_file, book) if self.prices_file else book

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that may change while a collector runs."""
        of_book = [self.folder / name for name in BOOK_FILES] if self.folder else []
        return (*of_book, *([self.prices_file] if self.prices_file else []))


def book_of(folder: Path) -> Catalogue:
    """The compiled price book in a folder, read now. Raises ConfigError."""
    missing = [name for name in BOOK_FILES if not (folder / name).is_file()]
    if missing:
        raise ConfigError(
            f"{folder}: no compiled price book: it has no {missing[0]};"
            f" `farthing prices compile {folder}` makes one"
        )
    try:
        made = catalogue_of_texts(*((folder / n).read_text() for n in BOOK_FILES))
        for _ in made:  # Rows are parsed when asked for: a broken one is told here.
            pass
    except (OSError, KeyError, ValueError, TypeError, IndexError) as error:
        raise ConfigError(f"{folder}: its files cannot be read: {error}") from error
    return made


@cache
def own_book() -> Catalogue:
    """Farthing's own price book, compiled from the genai-prices that is installed."""
    packaged = load_catalogue()
    try:
        installed = f"genai-prices {version('genai-prices')}"
    except PackageNotFoundError:
        return packaged
    if installed == packaged.rules.base:
        return packaged
    try:
        texts = catalogue_texts()
    except (ValueError, AttributeError, ConfigError) as error:
        log.warning(
            "%s is installed and does not fit Farthing (%s): prices are those of %s",
            installed, error, packaged.rules.base,
        )  # fmt: skip
        return packaged
    return catalogue_of_texts(*(texts[name] for name in BOOK_FILES))
