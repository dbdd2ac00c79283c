"""Options that several commands share, and the ledger that they ask."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from farthing.collector import presence
from farthing.collector.config import Settings, load_settings
from farthing.collector.store.client import Address, Store
from farthing.errors import ConfigError

F = TypeVar("F", bound=Callable[..., Any])

_SPAN = re.compile(r"^(\d+)([mhdw])$")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Since(click.ParamType):
    """`7d`, `24h`, `30m`, `2w`, or an ISO date or time (UTC where it names no zone)."""

    name = "duration or time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        span = _SPAN.match(value)
        try:
            if span:
                back = timedelta(**{_UNITS[span[2]]: int(span[1])})
                return datetime.now(UTC) - back
            moment = datetime.fromisoformat(value)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is neither like 7d or 24h nor an ISO date", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


data_option = click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Data folder, instead of the configured one.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")


def since_option(default: str) -> Callable[[F], F]:
    """`--since`, with its default."""
    return click.option(
        "--since",
        type=Since(),
        default=default,
        show_default=True,
        help="How far back: 7d, 24h, or a date.",
    )


@contextmanager
def reader(data_dir: Path | None) -> Iterator[Store]:
    """The ledger of the settings, for reading: from the collector that runs on it, or
    opened here when none does.

    Raises ConfigError if there is no ledger yet.
    """
    store = Store(_readable(load_settings(data_dir=data_dir)), writes=False)
    try:
        yield store
    finally:
        store.close()


def _readable(settings: Settings) -> Address:
    address = Address.parse(settings.store_url)
    if address.path is None:
        return address
    running = presence.find(settings.data_dir)
    if running is not None and running.web_url is not None:
        return _endpoint(running.web_url, address.database, settings.token_text)
    if not address.path.exists():
        raise ConfigError(
            f"there is no ledger at {address.path} yet: start one with `farthing up`,"
            " or name its folder with --data"
        )
    return address


def _endpoint(url: str, database: str, token: str | None) -> Address:
    parts = urlsplit(url)
    return Address(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 0,
        password=token or "",
        database=database,
        secure=parts.scheme == "https",
    )
