"""`farthing reprice`: what is in the ledger, by today's price book."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from farthing.cli import show
from farthing.cli.ledger import ledger_settings, reader
from farthing.cli.options import Moment, data_option, json_option
from farthing.cli.show import Column
from farthing.collector import presence
from farthing.collector.config import Settings
from farthing.collector.parts import open_ledger, price_catalogue
from farthing.collector.report.plain import plain
from farthing.collector.reprice import (
    Change,
    Journal,
    Outlook,
    Scope,
    preview,
    reprice,
)
from farthing.collector.store.client import Address, Refused, Store
from farthing.economics.prices import Catalogue
from farthing.errors import ConfigError, FarthingError

_COLUMNS = (
    Column("model"),
    Column("provider", rank=2),
    Column("was", rank=1),
    Column("is", rank=1),
    Column("calls", "right"),
    Column("old", "right"),
    Column("new", "right"),
    Column("difference", "right"),
)


class _Failed(FarthingError):
    """The ledger does not take what it was given."""


@click.command()
@click.option(
    "--since",
    type=Moment(),
    metavar="WHEN",
    required=True,
    help="Calls that ended from here on: 7d, 24h, or a date.",
)
@click.option(
    "--until",
    type=Moment(),
    metavar="WHEN",
    help="Only calls that ended before; now if left out.",
)
@click.option("--model", default="", help="Only calls of this model.")
@click.option("--dry-run", is_flag=True, help="Show what would change; write nothing.")
@data_option
@json_option
def command(
    since: datetime,
    until: datetime | None,
    model: str,
    data_dir: Path | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Price calls again: from the tokens in the ledger, by today's price book, each at
    its own time.

    Whatever changes is corrected by further entries; nothing is edited. It may be
    interrupted and repeated. --dry-run works beside a collector; to write to a ledger
    that is embedded in one, stop the collector first.
    """
    scope = Scope(since, until or datetime.now(UTC), model)
    if scope.until <= scope.since:
        raise click.UsageError("--until must be later than --since")
    settings = ledger_settings(data_dir)
    outlook = _look(settings, data_dir, scope) if dry_run else _write(settings, scope)
    if as_json:
        show.as_json(_json(outlook, dry_run=dry_run))
    else:
        _print(outlook, dry_run=dry_run)


def _look(settings: Settings, data_dir: Path | None, scope: Scope) -> Outlook:
    catalogue = price_catalogue(settings)
    with reader(data_dir) as store, show.progress("looking") as update:
        return preview(
            store, catalogue, scope, progress=lambda done: update(done, "entries")
        )


def _write(settings: Settings, scope: Scope) -> Outlook:
    catalogue = price_catalogue(settings)
    journal = Journal(settings.data_dir / "reprice")
    with (
        _writable(settings, catalogue) as store,
        show.progress("re-pricing") as update,
    ):
        try:
            return reprice(
                store,
                catalogue,
                scope,
                journal=journal,
                progress=lambda done: update(done, "entries"),
            )
        except Refused as error:
            raise _Failed(f"the ledger refuses a correction: {error}") from error


@contextmanager
def _writable(settings: Settings, catalogue: Catalogue) -> Iterator[Store]:
    """The ledger for writing, its price book being `catalogue`."""
    address = Address.parse(settings.store_url)
    if address.path is None:
        store = Store(address)
        try:
            _check_book(store, catalogue)
            yield store
        finally:
            store.close()
        return
    if not address.path.exists():
        raise ConfigError(
            f"there is no ledger at {address.path} yet: start one with `farthing up`,"
            " or name its folder with --data"
        )
    running = presence.find(settings.data_dir)
    if running is not None:
        raise ConfigError(
            f"process {running.pid} has the ledger in {settings.data_dir} open: stop it"
            " to re-price, or look with --dry-run, which works beside it"
        )
    with presence.owned(settings.data_dir), open_ledger(settings) as ledger:
        yield ledger.store


def _check_book(store: Store, catalogue: Catalogue) -> None:
    """On a server, today's book is the one that its collectors price by."""
    try:
        rows = store.rows(
            "SELECT argMax(catalogue, loaded_at) AS newest FROM catalogues"
        )
    except Refused as error:
        raise _Failed(f"the ledger refuses a question: {error}") from error
    newest = rows[0]["newest"]
    if newest != catalogue.sha256:
        raise ConfigError(
            f"the ledger at {store.address} prices by catalogue {newest[:12]}, and this"
            f" command would by {catalogue.sha256[:12]}: run it with the collectors'"
            " FARTHING_PRICES_FILE and version, or restart a collector with these first"
        )


def _json(outlook: Outlook, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "looked_at": outlook.looked_at,
        "unsettled": outlook.unsettled,
        "calls": outlook.calls,
        "difference_usd": plain(outlook.difference_usd),
        "changes": [
            {
                "provider": change.provider,
                "model": change.model,
                "old_state": change.old_state,
                "new_state": change.new_state,
                "reason": change.reason,
                "calls": change.calls,
                "old_usd": _plain(change.old_usd),
                "new_usd": _plain(change.new_usd),
                "difference_usd": plain(change.difference_usd),
            }
            for change in outlook.changes
        ],
    }


def _print(outlook: Outlook, *, dry_run: bool) -> None:
    looked_at = f"{show.counted(outlook.looked_at, 'call')} looked at"
    if not outlook.calls:
        show.line(f"Nothing changes: {looked_at}.")
    else:
        show.table(_COLUMNS, [_row(change) for change in outlook.changes])
        done = "would change" if dry_run else "corrected"
        show.line(
            f"{show.counted(outlook.calls, 'call')} {done}, {looked_at}; total"
            f" {_signed(outlook.difference_usd)}."
        )
    if outlook.unsettled:
        show.line(
            f"{show.counted(outlook.unsettled, 'more call')} told in more than one"
            " way, left alone until that is settled."
        )
    if dry_run and outlook.calls:
        show.line("Nothing was written; without --dry-run it is.")


def _row(change: Change) -> list[str]:
    why = f" ({change.reason.replace('_', ' ')})" if change.reason else ""
    return [
        change.model or show.UNKNOWN,
        change.provider or show.UNKNOWN,
        change.old_state,
        f"{change.new_state}{why}",
        show.count(change.calls),
        show.money(change.old_usd),
        show.money(change.new_usd, lower_bound=change.new_state == "partial"),
        _signed(change.difference_usd),
    ]


def _signed(usd: Decimal) -> str:
    return f"{'+' if usd > 0 else ''}{show.money(usd)}"


def _plain(usd: Decimal | None) -> str | None:
    return None if usd is None else plain(usd)
