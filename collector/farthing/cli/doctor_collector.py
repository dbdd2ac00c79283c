"""`farthing doctor` without --agent: checks the collector and the ledger."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from farthing.cli import BAD_NEWS, show
from farthing.cli.checks import Finding, Findings, Status, machine, problem, warning
from farthing.cli.checks import collecting as way
from farthing.cli.checks import configuration as told
from farthing.cli.ledger import (
    NO_LEDGER,
    ledger_settings,
    on_server,
    opened,
    remedy,
)
from farthing.cli.show import Column
from farthing.collector import presence
from farthing.collector.config import Settings, Told, ledger_url, told_settings
from farthing.collector.report.health import (
    Emitter,
    LedgerState,
    emitters,
    ledger_state,
)
from farthing.collector.report.spend import Unpriced, unpriced
from farthing.collector.store.client import Address, Away, Refused
from farthing.errors import ConfigError, FarthingError

_REASONS = 5


@dataclass
class _Seen:
    """What the checks found, and what they saw on the way."""

    findings: list[Finding] = field(default_factory=list)
    settings: list[Told] = field(default_factory=list)
    emitters: tuple[Emitter, ...] = ()
    reasons: tuple[Unpriced, ...] = ()
    state: LedgerState | None = None

    def add(self, findings: Findings) -> None:
        self.findings.extend(findings)

    @property
    def is_well(self) -> bool:
        return all(finding.status != Status.PROBLEM for finding in self.findings)


def check(config: Path | None, data_dir: Path | None, *, as_json: bool) -> None:
    """Check the collector's side, print, and end with 1 if there is a problem."""
    seen = _Seen()
    try:
        settings = ledger_settings(data_dir, config=config)
    except ConfigError as error:
        seen.add(iter([problem("configuration", str(error), "correct it")]))
    else:
        where = {} if data_dir is None else _in_folder(data_dir)
        seen.settings = told_settings(config=config, **where)
        _check(settings, seen, config=config)
    if as_json:
        show.as_json(_to_json(seen))
    else:
        _print(seen)
    if not seen.is_well:
        sys.exit(BAD_NEWS)


def _in_folder(data_dir: Path) -> dict[str, object]:
    return {"data_dir": data_dir, "store": ledger_url(data_dir), "cluster": ""}


def _check(settings: Settings, seen: _Seen, *, config: Path | None) -> None:
    """All checks, in the order in which they are shown."""
    seen.add(told.configuration(seen.settings))
    seen.add(machine.disk(settings))
    embedded = False
    with suppress(ConfigError):  # the check of the ledger says it
        embedded = Address.parse(settings.store_url).path is not None
    running = presence.find(settings.data_dir)
    seen.add(machine.ports(settings, running, embedded=embedded))
    seen.add(way.collector(settings, running))
    seen.add(way.spool(settings, running))
    seen.add(way.dead_letters(settings))
    seen.add(_ledger(settings, seen, config=config))
    seen.add(told.prices(settings, seen.state))
    seen.add(told.alerting(settings))
    seen.add(told.clock(seen.state))
    if seen.state is not None:
        seen.add(way.spans(seen.emitters))
        seen.add(way.unpriced(seen.emitters, seen.reasons))


def _ledger(settings: Settings, seen: _Seen, *, config: Path | None) -> Findings:
    """Ask the ledger all that is asked of it, in one go."""
    try:
        address = Address.parse(settings.store_url)
        if address.path is not None and not address.path.exists():
            elsewhere = on_server(settings.data_dir, config=config)
            yield warning(
                "ledger",
                f"none at {address.path} yet",
                f"{elsewhere}`farthing up` makes it",
            )
            return
        now = datetime.now(UTC)
        with opened(settings) as store:
            seen.state = ledger_state(store)
            day = now - timedelta(days=1)
            seen.emitters = emitters(store, since=day)
            seen.reasons = unpriced(
                store, since=day, until=now + timedelta(days=1), limit=_REASONS
            )
    except (FarthingError, Refused) as error:
        yield problem("ledger", str(error), _remedy(error))
        return
    yield from way.ledger(str(address), seen.state)


def _remedy(error: Exception) -> str:
    code = error.code if isinstance(error, Away | Refused) else 0
    if code in NO_LEDGER:
        return "`farthing up` makes its tables"
    return remedy(error) or "see FARTHING_STORE, and whether its server runs"


def _to_json(seen: _Seen) -> dict[str, object]:
    return {
        "ok": seen.is_well,
        "checks": [finding.to_json() for finding in seen.findings],
        "settings": [asdict(item) for item in seen.settings],
        "emitters": [emitter.to_json() for emitter in seen.emitters],
        "unpriced": [reason.to_json() for reason in seen.reasons],
    }


def _print(seen: _Seen) -> None:
    for finding in seen.findings:
        show.line(finding.line())
    if seen.emitters:
        show.line()
        show.table(_COLUMNS, [_row(emitter) for emitter in seen.emitters])


_COLUMNS = (
    Column("emitter (last day)"),
    Column("version", rank=2),
    Column("read as", rank=1),
    Column("spans", "right"),
    Column("calls", "right"),
    Column("unpriced", "right"),
)


def _row(emitter: Emitter) -> list[str]:
    rate = emitter.unpriced_calls / emitter.calls if emitter.calls else None
    return [
        emitter.scope or "(no scope)",
        emitter.scope_version,
        emitter.dialect,
        show.count(emitter.spans),
        show.count(emitter.calls),
        show.share(rate),
    ]
