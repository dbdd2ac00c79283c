"""Waiting until a collector has loaded what it acknowledged."""

from __future__ import annotations

import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

from prometheus_client.parser import text_string_to_metric_families

from farthing.errors import StoreUnavailable

_WAITING = "farthing_spool_requests"
_LOADED = "farthing_load_requests_total"
_REFUSED = "farthing_load_dead_letters_total"
_TRACES = "/v1/traces"


def wait_until_loaded(
    url: str,
    *,
    token: str | None = None,
    trusted: ssl.SSLContext | None = None,
    progress: Callable[[int], None] | None = None,
    patience_s: float = 120.0,
) -> bool:
    """Wait until all that waits now in the collector at `url` can be queried, or is
    put aside as what the ledger refuses.

    `progress` is told how many requests still wait. False at once if what listens
    there is an OTLP receiver of another kind; StoreUnavailable after `patience_s`
    without a request loaded.
    """
    now = _metrics(url, token, trusted)
    if now is None:
        return False
    goal = _processed(now) + now[_WAITING]
    most, since_s = _processed(now), time.monotonic()
    while now[_WAITING] and most < goal:
        if progress is not None:
            progress(int(goal - most))
        time.sleep(0.1)
        now = _metrics(url, token, trusted) or now
        if _processed(now) > most:
            most, since_s = _processed(now), time.monotonic()
        elif time.monotonic() - since_s > patience_s:
            raise StoreUnavailable(
                f"{url} has loaded nothing for {patience_s:g} s: `farthing doctor` says"
                " why; what was sent is safe in its spool"
            )
    return True


def _processed(metrics: Mapping[str, float]) -> float:
    return metrics[_LOADED] + metrics[_REFUSED]


def _metrics(
    url: str, token: str | None, trusted: ssl.SSLContext | None
) -> dict[str, float] | None:
    base = url.rstrip("/").removesuffix(_TRACES)
    request = urllib.request.Request(f"{base}/metrics")  # noqa: S310
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10, context=trusted) as answer:  # noqa: S310
            text = answer.read().decode()
    except (urllib.error.URLError, OSError, UnicodeDecodeError):
        return None
    found = {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name in (_WAITING, _LOADED, _REFUSED)
    }
    return found if len(found) == 3 else None
