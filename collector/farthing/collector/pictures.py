"""Pictures of what a run has cost, for the messages of alerts.

Drawn by a process of its own, for what it takes and how long: the collector goes on
meanwhile, and what hangs is ended. It is given turns and amounts alone.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from farthing.alerts.alert import Alert
from farthing.collector.store.client import Refused, Store
from farthing.dashboards.catalogue import panel
from farthing.dashboards.macros import View, expanded
from farthing.errors import DeliveryError, Reason, StoreUnavailable

log = logging.getLogger(__name__)

_PANEL: Final = "run_cost"
_LIMITS: Final = {"max_threads": 1, "max_execution_time": 5}
_TIMEOUT_S: Final = 20.0


class RunPictures:
    """Draws from a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, alert: Alert) -> bytes | None:
        """A PNG of what each call of the alert's run has cost; None for a run without
        calls. Raises DeliveryError where it can be drawn later."""
        chosen = {"run": (alert.labels["run_id"],)}
        view = View(alert.since, alert.at, chosen)
        sql = expanded(panel(_PANEL).text, view)
        try:
            rows = self._store.rows(sql, settings=_LIMITS)
        except (StoreUnavailable, Refused) as error:
            raise DeliveryError(
                Reason.CONNECTION, f"a picture waits for the ledger: {error}"
            ) from error
        return drawn(rows) if rows else None


def drawn(
    rows: Sequence[Mapping[str, Any]], *, timeout_s: float = _TIMEOUT_S
) -> bytes | None:
    """Rows of the panel as a PNG; None where that fails, which the log tells. Raises
    DeliveryError after `timeout_s`."""
    command = [sys.executable, "-m", "farthing.dashboards.draw", _PANEL]
    given = json.dumps(rows, default=float).encode()
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command, input=given, capture_output=True, timeout=timeout_s, check=True
        )
    except subprocess.TimeoutExpired as error:
        raise DeliveryError(
            Reason.TIMEOUT, f"a picture was not drawn in {timeout_s:g} s"
        ) from error
    except subprocess.CalledProcessError as error:
        log.warning("no picture: %s", error.stderr.decode(errors="replace")[-500:])
        return None
    return done.stdout
