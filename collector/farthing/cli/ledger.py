"""The ledger that a command asks: a collector's over HTTP, or opened here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.parse import urlsplit

import click

from farthing.collector import presence
from farthing.collector.config import (
    Settings,
    ledger_url,
    load_settings,
    unknown_variables,
)
from farthing.collector.report.amounts import counted
from farthing.collector.spool import left_in
from farthing.collector.store.client import (
    DENIED,
    UNKNOWN_TABLE,
    Address,
    Away,
    Refused,
    Store,
)
from farthing.errors import ConfigError, FarthingError, StoreUnavailable

_PATIENCE_S: Final = 10.0
NO_LEDGER: Final = frozenset({UNKNOWN_TABLE, 81})
"""UNKNOWN_TABLE and UNKNOWN_DATABASE: nothing of Farthing's is there."""
_REMEDY_DENIED: Final = (
    "set FARTHING_TOKEN to the collector's, or user and password in FARTHING_STORE"
)
_REMEDY_UNTRUSTED: Final = (
    "set FARTHING_TLS_CERT and FARTHING_TLS_KEY as the collector has them, or"
    " SSL_CERT_FILE for a server of another kind"
)


def ledger_settings(data_dir: Path | None, *, config: Path | None = None) -> Settings:
    """The settings of a command on a ledger: a folder that the command line names means
    the ledger in it, wherever the configured one is."""
    if data_dir is None:
        return load_settings(config=config)
    return load_settings(
        config=config, data_dir=data_dir, store=ledger_url(data_dir), cluster=""
    )


@contextmanager
def reader(data_dir: Path | None) -> Iterator[Store]:
    """The ledger of the settings, read-only: from the collector that runs on it, or
    opened here when none does.

    Raises ConfigError if there is no ledger yet.
    """
    settings = ledger_settings(data_dir)
    with opened(settings) as store:
        _say_what_waits(settings.data_dir)
        try:
            yield store
        except Refused as error:
            raise _Failed(f"the ledger refuses a question: {error}") from error
        except StoreUnavailable as error:
            raise _explained(error, store) from error


def _say_what_waits(data_dir: Path) -> None:
    """Say beside an answer what a collector received before it stopped and no number
    contains yet. The answer is given all the same where that cannot be looked at."""
    try:
        if presence.find(data_dir) is not None:
            return
        waiting, under_way = left_in(data_dir / "spool")
    except (ConfigError, OSError) as error:
        click.echo(
            f"Perhaps without what a collector received before it stopped: {error}",
            err=True,
        )
        return
    if waiting:
        loaded = (
            f", or with {under_way} of them that it was loading" if under_way else ""
        )
        click.echo(
            f"Without {counted(waiting, 'request')} that a collector received before it"
            f" stopped{loaded}: `farthing up` loads what waits.",
            err=True,
        )


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """As `reader`, for settings that are read already; errors are those of `Store`."""
    address = Address.parse(settings.store_url)
    with ExitStack() as stack:
        url = None
        if address.path is not None:
            url = _running_or_owned(settings.data_dir, address.path, stack)
        if url is not None:
            address = _endpoint(url, address.database, settings)
        store = Store(address, writes=False)
        stack.callback(store.close)
        yield store


def _running_or_owned(data_dir: Path, ledger: Path, stack: ExitStack) -> str | None:
    """Where the collector on a data folder answers; None once the folder is ours.

    Another command may hold it for a moment, and a collector that starts has no
    address yet: both are waited for.
    """
    if not ledger.exists():
        raise ConfigError(
            f"there is no ledger at {ledger} yet: {on_server(data_dir)}start one with"
            f" `farthing up`, or name its folder with --data{_misspelt()}"
        )
    deadline_s = time.monotonic() + _PATIENCE_S
    while True:
        running = presence.find(data_dir)
        if running is not None and running.web_url is not None:
            return running.web_url
        try:
            stack.enter_context(presence.owned(data_dir))
        except ConfigError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.1)
        else:
            return None


def on_server(data_dir: Path, *, config: Path | None = None) -> str:
    """Which ledger may be meant where the one of a folder is asked for: a server's,
    which the settings name or the folder's collector writes to."""
    store = Address.parse(load_settings(config=config).store_url)
    if store.path is None:
        return f"leave --data away to ask {store}, or "
    running = presence.find(data_dir)
    if running is not None and running.web_url is None:
        return "set FARTHING_STORE to the server that its collector writes to, or "
    return ""


def _misspelt() -> str:
    """What may be why another ledger was meant: variables that nothing reads."""
    return "".join(
        f"; {name} means nothing: did you mean {meant}?"
        for name, meant in unknown_variables().items()
    )


def _endpoint(url: str, database: str, settings: Settings) -> Address:
    parts = urlsplit(url)
    return Address(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 0,
        password=settings.token_text or "",
        database=database,
        secure=parts.scheme == "https",
        trusted=presence.trust(settings.tls_cert),
    )


class _Failed(FarthingError):
    """A question that the ledger cannot answer."""


def _explained(error: StoreUnavailable, store: Store) -> FarthingError:
    code = error.code if isinstance(error, Away) else 0
    if code in NO_LEDGER:
        return ConfigError(
            f"there is no ledger at {store.address} yet: start one with `farthing up`"
        )
    if code in DENIED:
        return ConfigError(f"{store.address} does not let us in: {_REMEDY_DENIED}")
    if _is_untrusted(error):
        return ConfigError(
            f"the certificate of {store.address} is not trusted: {_REMEDY_UNTRUSTED}"
        )
    return error


def remedy(error: Exception) -> str | None:
    """What to do about a collector or store that does not let us in, or whose
    certificate is not trusted; None for any other error."""
    if isinstance(error, Away) and error.code in DENIED:
        return _REMEDY_DENIED
    if isinstance(error, HTTPError) and error.code == HTTPStatus.UNAUTHORIZED:
        return _REMEDY_DENIED
    return _REMEDY_UNTRUSTED if _is_untrusted(error) else None


def _is_untrusted(error: Exception) -> bool:
    return "CERTIFICATE_VERIFY_FAILED" in str(error)
