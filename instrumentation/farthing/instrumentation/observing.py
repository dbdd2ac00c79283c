"""The observers of model calls that an agent's environment asks for.

    for module in calls: module.install(observers(environment))

Fingerprints first, because the guard reads what they found.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import get_tracer_provider

from farthing.errors import ConfigError
from farthing.instrumentation import context
from farthing.instrumentation.calls import Observer
from farthing.instrumentation.fingerprints.hashes import Hasher
from farthing.instrumentation.fingerprints.hook import install_teller
from farthing.instrumentation.fingerprints.key import KEY_VARIABLE, load_key
from farthing.instrumentation.fingerprints.observer import FingerprintObserver
from farthing.instrumentation.fingerprints.teller import Teller
from farthing.semconv import (
    BUSINESS_UNIT,
    RESOURCE,
    TASK_ID,
    TASK_TYPE,
    TEAM,
    USER,
)

if TYPE_CHECKING:
    from farthing.instrumentation.guard.guard import Guard
    from farthing.instrumentation.guard.runs import Run
    from farthing.instrumentation.guard.settings import Sharing
    from farthing.instrumentation.guard.shared import SharedLimits

SWITCH_VARIABLE: Final = "FARTHING_FINGERPRINTS"
PRICES_VARIABLE: Final = "FARTHING_PRICES_FILE"
_OFF: Final = ("off", "false", "0")
_logger = logging.getLogger(__name__)


def observers(
    environment: Mapping[str, str],
    *,
    key_folder: Path | None = None,
) -> tuple[Observer, ...]:
    """The observers for these variables. Never raises: what cannot be used is logged.

    A run is what the tags call a task; without a task, all calls of the process.
    """
    teller = Teller(
        Hasher(load_key(environment.get(KEY_VARIABLE, ""), folder=key_folder))
    )
    install_teller(teller)
    found: list[Observer] = []
    if environment.get(SWITCH_VARIABLE, "").strip().lower() not in _OFF:
        found.append(FingerprintObserver(teller))
    guard = _guard(environment, teller)
    if guard is not None:
        found.append(guard)
    return tuple(found)


def _guard(environment: Mapping[str, str], teller: Teller) -> Guard | None:
    """The guard, if a limit is set. Its modules are imported only then."""
    if not any(
        name.startswith(("FARTHING_BUDGET", "FARTHING_ON_LOOP")) for name in environment
    ):
        return None
    from farthing.instrumentation import guard as package
    from farthing.instrumentation.guard.estimate import Estimator
    from farthing.instrumentation.guard.guard import Guard
    from farthing.instrumentation.guard.settings import read_settings

    try:
        settings = read_settings(environment)
    except ConfigError as error:
        _logger.error("the guard is off, because its settings are wrong:\n%s", error)
        return None
    if not settings.is_on:
        return None
    prices = environment.get(PRICES_VARIABLE, "")
    if prices and not prices.endswith(".json"):
        _logger.warning("the guard reads prices as JSON only, not %s", prices)
    guard = Guard(
        settings,
        teller=teller,
        current_run=_current_run,
        estimator=Estimator(Path(prices) if prices.endswith(".json") else None),
        shared=_shared(settings.sharing) if settings.sharing else None,
    )
    package.install(guard)
    return guard


def _shared(sharing: Sharing) -> SharedLimits:
    """Budgets that processes share: the collector is asked for them from now on."""
    from farthing.instrumentation.guard.link import Asking, Link
    from farthing.instrumentation.guard.shared import SharedLimits

    link = Link(Asking(sharing.url, sharing.headers, certificate=sharing.certificate))
    limits = SharedLimits(_constant(), wake=link.wake)
    link.start(limits)
    return limits


def _constant() -> dict[str, str]:
    """What holds for all work of the process, by the ledger's names."""
    provider = get_tracer_provider()
    told = provider.resource.attributes if isinstance(provider, TracerProvider) else {}
    named = {name: RESOURCE[name] for name in ("service", "environment")}
    found = {
        name: next((told[key] for key in keys if key in told), "")
        for name, keys in named.items()
    }
    return {name: str(value) for name, value in found.items() if value}


def _current_run() -> Run:
    from farthing.instrumentation.guard.runs import Run

    tags = context.carried_tags()
    return Run(
        id=tags.get(TASK_ID, ""),
        task_type=tags.get(TASK_TYPE, ""),
        business_unit=tags.get(BUSINESS_UNIT, ""),
        team=tags.get(TEAM, ""),
        user=tags.get(USER, ""),
    )
