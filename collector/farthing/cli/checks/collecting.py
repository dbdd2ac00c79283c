"""Checks of the way of a span: collector, spool, dead letters, ledger, emitters."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from farthing.cli.checks import Finding, Findings, ok, problem, warning
from farthing.cli.ledger import remedy
from farthing.cli.show import count, counted, duration, size
from farthing.collector import presence
from farthing.collector.config import Settings
from farthing.collector.presence import Running
from farthing.collector.report.health import Emitter, LedgerState
from farthing.collector.report.spend import Unpriced
from farthing.collector.spool import Spool, Waiting
from farthing.collector.store.schema import migrations
from farthing.errors import ConfigError

_LONG_WAIT_S: Final = 60.0
_CLOCK_AHEAD_S: Final = 300
_ADVICE: Final = {
    "unknown_provider": "name the provider as OpenTelemetry does, or give it prices in"
    " a file of yours (docs/prices.md)",
    "unknown_host": "say under 'hosts' in your price file whose protocol it speaks",
    "no_model": "the span names no model: see its instrumentation's settings",
    "unknown_model": "give it a price, or 'free', in your price file (docs/prices.md);"
    " `farthing prices lookup` shows names that are known",
    "deployment_not_mapped": "say under 'models' in your price file what it is",
    "no_price": "nobody publishes a price per token for it: give it one of yours",
    "no_rate_at_time": "the price book has none for that day: upgrade Farthing",
    "no_rate_for_tier": "this tier, batch or speed has no published price: add it",
    "no_rate_for_place": "this region has no published price: add it",
    "calendar_unknown": "upgrade Farthing: that year's holidays are published by now",
    "no_rate_for_bucket": "a kind of token has no published price: add it",
    "usage_incomplete": "streams that are closed early tell no output: read them to"
    " their end, or see docs/prices.md",
    "unknown_operation": "it tells tokens of an operation that no dialect knows: report"
    " it, or add a dialect (docs/ARCHITECTURE.md)",
    "invalid_usage": "its token counts are negative or absurd: report it to the"
    " instrumentation",
    "no_usage": "it tells no tokens: for streams, ask for usage (OpenAI:"
    " stream_options include_usage; Spring AI: stream-usage)",
}


def collector(settings: Settings, running: Running | None) -> Findings:
    """Whether one runs on the data folder, and is ready."""
    if running is None:
        yield warning(
            "collector",
            f"none runs on {settings.data_dir}",
            "start one with `farthing up`",
        )
        return
    url = f"{running.http_url}/readyz"
    try:
        _get(url, settings)
    except urllib.error.HTTPError as error:
        reason = error.read().decode(errors="replace").strip()
        yield problem("collector", f"is not ready: {reason}", f"see {url}")
    except (OSError, ConfigError) as error:
        yield problem(
            "collector",
            f"{url} does not answer: {error}",
            remedy(error) or "restart the collector",
        )
    else:
        yield ok("collector", f"process {running.pid} is ready")


def _get(url: str, settings: Settings) -> str:
    request = urllib.request.Request(url)  # noqa: S310 - our own collector's
    if settings.token_text is not None:
        request.add_header("Authorization", f"Bearer {settings.token_text}")
    trusted = presence.trust(settings.tls_cert)
    with urllib.request.urlopen(request, timeout=10, context=trusted) as answer:  # noqa: S310
        text: str = answer.read().decode()
    return text


def spool(settings: Settings, running: Running | None) -> Findings:
    """What waits to be loaded, and for how long."""
    if not (settings.data_dir / "spool").is_dir():
        yield ok("spool", "nothing was received yet")
        return
    try:
        held = _waiting(settings, running)
    except (OSError, ConfigError, ValueError) as error:
        yield warning(
            "spool",
            f"cannot be read: {error}",
            remedy(error) or "ask again in a moment",
        )
        return
    yield _spool(held, is_running=running is not None)


def _spool(held: Waiting, *, is_running: bool) -> Finding:
    if not held.requests:
        return ok("spool", "nothing waits")
    age_s = max(time.time() - held.oldest_s, 0.0) if held.oldest_s is not None else 0.0
    says = (
        f"waiting: {counted(held.requests, 'request')} ({size(held.bytes)}), the oldest"
        f" for {duration(age_s)}"
    )
    if not is_running:
        return warning("spool", says, "`farthing up` loads them")
    if age_s > _LONG_WAIT_S:
        return problem("spool", says, "the collector cannot load: see its log")
    return ok("spool", says)


def _waiting(settings: Settings, running: Running | None) -> Waiting:
    if running is None:
        with presence.owned(settings.data_dir):
            found = Spool(settings.data_dir / "spool")
            try:
                return found.waiting()
            finally:
                found.close()
    metrics = dict(
        line.rsplit(" ", 1)
        for line in _get(f"{running.http_url}/metrics", settings).splitlines()
        if line.startswith("farthing_spool_")
    )
    return Waiting(
        int(float(metrics.get("farthing_spool_requests", 0))),
        int(float(metrics.get("farthing_spool_bytes", 0))),
        time.time() - float(metrics.get("farthing_spool_oldest_age_seconds", 0)),
    )


def dead_letters(settings: Settings) -> Findings:
    """What the ledger refused for good."""
    folder = settings.data_dir / "dead-letters"
    letters = sorted(folder.glob("*.pb"))
    if not letters:
        yield ok("dead letters", "none")
        return
    yield warning(
        "dead letters",
        f"{count(len(letters))} requests in {folder}; the newest: {_why(letters[-1])}",
        f"report it, then `farthing replay {folder}/*.pb` with a version that reads"
        " them, and remove them",
    )


def _why(letter: Path) -> str:
    try:
        said = json.loads(letter.with_suffix(".json").read_text(encoding="utf-8"))
        return str(said["reason"])
    except (OSError, ValueError, KeyError, TypeError):
        return "the reason is not kept"


def ledger(where: str, state: LedgerState) -> Findings:
    """Whether the schema is this program's."""
    known = migrations()[-1].version
    says = f"{where}, ClickHouse {state.engine}, migration {state.migration}"
    if state.migration > known:
        yield problem(
            "ledger", f"{says}; this program knows {known}", "upgrade this program"
        )
    elif state.migration < known:
        yield warning(
            "ledger", f"{says} of {known}", "`farthing up` brings it up to date"
        )
    else:
        yield ok("ledger", says)


def spans(found: Sequence[Emitter]) -> Findings:
    """When the last span came, and whether its emitter's clock is right."""
    if not found:
        yield warning(
            "spans",
            "none of the last day",
            "point an agent at the collector: OTEL_EXPORTER_OTLP_ENDPOINT",
        )
        return
    last = max(emitter.received_at for emitter in found)
    last = last if last.tzinfo else last.replace(tzinfo=UTC)
    ago = duration(max((datetime.now(UTC) - last).total_seconds(), 0))
    total = count(sum(emitter.spans for emitter in found))
    yield ok("spans", f"{total} of the last day, the last received {ago} ago")
    for emitter in found:
        if emitter.ahead_s > _CLOCK_AHEAD_S:
            yield warning(
                "clock",
                f"spans of {emitter.scope} end {duration(emitter.ahead_s)} after they"
                " were received",
                "set the clock of the machine that sends them (NTP)",
            )


def unpriced(found: Sequence[Emitter], reasons: Sequence[Unpriced]) -> Findings:
    """Why calls of the last day have no price, or a part of one."""
    calls = sum(emitter.calls for emitter in found)
    if calls and not reasons:
        yield ok("priced", f"every one of {count(calls)} calls of the last day")
    for item in reasons:
        model = item.model or "a model that is not told"
        why = f" ({item.reason})" if item.reason else ""
        yield warning(
            "priced",
            f"{count(item.calls)} of {count(calls)} calls are {item.state}{why}:"
            f" {model}",
            _ADVICE.get(item.reason or item.state, "see docs/prices.md"),
        )
