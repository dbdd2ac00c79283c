"""Waiting until a collector has loaded what it acknowledged."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families

from farthing.errors import StoreUnavailable

_WAITING = "farthing_spool_requests"
_LOADED = "farthing_load_requests_total"


def wait_until_loaded(
    url: str,
    *,
    token: str | None = None,
    progress: Callable[[int], None] | None = None,
    patience_s: float = 120.0,
) -> bool:
    """Wait until all that waits now in the collector at `url` can be queried.

    `progress` is told how many requests still wait. False at once if what listens
    there is an OTLP receiver of another kind; StoreUnavailable after `patience_s`
    without a request loaded.
    """
    at_start = _metrics(url, token)
    if at_start is None:
        return False
    goal = at_start[_LOADED] + at_start[_WAITING]
    loaded, since_s = at_start[_LOADED], time.monotonic()
    while loaded < goal:
        if progress is not None:
            progress(int(goal - loaded))
        time.sleep(0.1)
        now = (_metrics(url, token) or at_start)[_LOADED]
        if now > loaded:
            loaded, since_s = now, time.monotonic()
        elif time.monotonic() - since_s > patience_s:
            raise StoreUnavailable(
                f"{url} has loaded nothing for {patience_s:g} s: ask its /readyz why;"
                " what was sent is safe in its spool"
            )
    return True


def _metrics(url: str, token: str | None) -> dict[str, float] | None:
    request = urllib.request.Request(f"{url.rstrip('/')}/metrics")  # noqa: S310
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            text = answer.read().decode()
    except (urllib.error.URLError, OSError, UnicodeDecodeError):
        return None
    found = {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name in (_WAITING, _LOADED)
    }
    return found if len(found) == 2 else None
