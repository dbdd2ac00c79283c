"""Checks of what was configured: settings, prices."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from farthing.alerts.budgets import read_budgets
from farthing.alerts.policy import read_policy
from farthing.cli.checks import Findings, ok, problem, warning
from farthing.collector.config import UNSET, Settings, Told, unknown_variables
from farthing.collector.price_sources import PriceSources
from farthing.collector.report.health import LedgerState
from farthing.economics.prices.catalogue import Catalogue, load_catalogue
from farthing.errors import ConfigError

_STALE_DAYS: Final = 60
_SHOWN_OF_HASH: Final = 12


def configuration(told: list[Told]) -> Findings:
    """What is set, by whom, and variables that look like settings but are none."""
    said = [
        f"{item.name} ({item.source})"
        for item in told
        if item.source != "default" and item.value != UNSET
    ]
    yield ok("configuration", f"set: {', '.join(said) or 'nothing, all defaults'}")
    for name, meant in unknown_variables().items():
        yield warning(
            "configuration", f"{name} is no setting", f"did you mean {meant}?"
        )


def prices(settings: Settings, ledger: LedgerState | None) -> Findings:
    """The price book, the operator's file, and what the ledger prices by."""
    try:
        catalogue = PriceSources.of(settings).read()
    except ConfigError as error:
        yield problem("prices", str(error), "correct the file; see docs/prices.md")
        return
    yield from _age(catalogue)
    if settings.prices_file is not None:
        yield ok("prices", f"{settings.prices_file} is laid over them")
    if ledger is not None:
        yield from _in_force(catalogue, ledger)


def alerting(settings: Settings) -> Findings:
    """The operator's files of alerts and of budgets, where there are any."""
    try:
        read_policy(settings.alerts_file)
        read_budgets(settings.budgets_file)
    except ConfigError as error:
        yield problem("alerts", str(error), "correct the file; see docs/alerts.md")
        return
    for file in filter(None, (settings.alerts_file, settings.budgets_file)):
        yield ok("alerts", f"{file} is in order")


def _age(catalogue: Catalogue) -> Findings:
    base, checked_on = catalogue.rules.base, catalogue.rules.base_checked_on
    says = f"{sum(1 for _ in catalogue):,} rows of {base}"
    if not checked_on:
        yield ok("prices", says)
        return
    says = f"{says}, checked on {checked_on}"
    age = (datetime.now(UTC).date() - date.fromisoformat(checked_on)).days
    if age > _STALE_DAYS:
        todo = "upgrade Farthing, or compile a newer book: `farthing prices compile`"
        yield warning("prices", f"{says}, {age} days ago", todo)
    else:
        yield ok("prices", says)


def _in_force(catalogue: Catalogue, ledger: LedgerState) -> Findings:
    held = f"price book {ledger.catalogue[:_SHOWN_OF_HASH]}"
    if ledger.catalogue == catalogue.sha256:
        yield ok("prices", f"the ledger prices by {held}, this one")
    else:
        yield warning(
            "prices",
            f"the ledger prices by {held}, not by {catalogue.sha256[:_SHOWN_OF_HASH]}"
            " of these settings",
            "the collector takes it before its next batch; restart it if it was started"
            " with other settings",
        )


def clock(ledger: LedgerState | None) -> Findings:
    """Whether this machine's clock can be right."""
    now = datetime.now(UTC)
    checked_on = load_catalogue().rules.base_checked_on
    if now.date() < date.fromisoformat(checked_on):
        yield problem(
            "clock",
            f"it says {now:%Y-%m-%d}, before the prices were checked ({checked_on})",
            "set this machine's clock: calls are priced at their own time",
        )
        return
    off_s = 0.0 if ledger is None else abs((now - _utc(ledger.now)).total_seconds())
    if off_s > _MOST_OFF_S:
        yield warning(
            "clock",
            f"this machine and the ledger's server differ by {off_s:.0f} s",
            "synchronise both (NTP)",
        )
    else:
        yield ok("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")


_MOST_OFF_S: Final = 30.0


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
