"""What is asked of the price book and what it answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from farthing.economics.prices.resolver import Unresolved
from farthing.economics.prices.rules import PROFILE_RE
from farthing.economics.usage import TokenBuckets


class State(StrEnum):
    """What is known of a cost. Unknown is never zero."""

    PRICED = "priced"
    FREE = "free"
    FLAT_RATE = "flat_rate"
    PARTIAL = "partial"
    UNPRICED = "unpriced"
    NO_USAGE = "no_usage"


class Reason(StrEnum):
    """Why a call is unpriced or partial: a closed set, and a metric label."""

    UNKNOWN_PROVIDER = Unresolved.UNKNOWN_PROVIDER
    UNKNOWN_HOST = Unresolved.UNKNOWN_HOST
    NO_MODEL = Unresolved.NO_MODEL
    UNKNOWN_MODEL = Unresolved.UNKNOWN_MODEL
    DEPLOYMENT_NOT_MAPPED = Unresolved.DEPLOYMENT_NOT_MAPPED
    NO_PRICE = "no_price"
    """The model is known; nobody publishes a token price for it."""
    NO_RATE_AT_TIME = "no_rate_at_time"
    NO_RATE_FOR_TIER = "no_rate_for_tier"
    """No price for this batch, tier or speed, or for their combination."""
    NO_RATE_FOR_PLACE = "no_rate_for_place"
    CALENDAR_UNKNOWN = "calendar_unknown"
    NO_RATE_FOR_BUCKET = "no_rate_for_bucket"
    INVALID_USAGE = "invalid_usage"
    USAGE_INCOMPLETE = "usage_incomplete"
    """Input or output is not told: the cost is a lower bound."""
    UNKNOWN_OPERATION = "unknown_operation"
    """The span tells tokens of an operation that no dialect knows: a call, or one more
    telling of others. Decided where spans are read; `price` never says it."""


class Flag(StrEnum):
    """What a reader of a cost should know; none of them changes the state."""

    HOST_ASSUMED = "host_assumed"
    """The host is the caller's own gateway: the provider's word had to do."""
    TTL_ASSUMED = "ttl_assumed"
    TIER_ASSUMED = "tier_assumed"
    DEPLOYMENT_ASSUMED = "deployment_assumed"
    MODELS_DIFFER = "models_differ"
    MULTIPLIER = "multiplier"
    PROVIDER_REPORTED = "provider_reported"
    BACK_DATED = "back_dated"
    DERIVED = "derived"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True)
class Call:
    """One provider call as its span tells it. Empty text means "not told".

    `at` is when the call ended, with a time zone. `batch`, `speed` and `service_tier`
    are those that were served, from the response where it says so. `tool_uses` counts
    billed uses of the provider's own tools (`web_search`, `file_search`). With
    `invalid_usage` the span told counts that cannot be, and `buckets` is None; with
    `usage_incomplete` it does not tell all: its input or its output is missing.
    """

    provider: str
    at: datetime
    buckets: TokenBuckets | None
    response_model: str = ""
    request_model: str = ""
    host: str = ""
    service_tier: str = ""
    batch: bool = False
    speed: str = ""
    geo: str = ""
    region: str = ""
    deployment: str = ""
    tool_uses: Mapping[str, int] = field(default_factory=dict)
    claimed_usd: Decimal | None = None
    invalid_usage: bool = False
    usage_incomplete: bool = False

    @property
    def ref(self) -> str:
        """The model that is looked up: the one that answered where that is told, but
        the inference profile that was asked where there is one, for its place."""
        is_profile = re.search(PROFILE_RE, self.request_model.lower())
        answered = "" if is_profile else self.response_model
        return answered or self.request_model


class Part(NamedTuple):
    """One component of a cost."""

    name: str
    units: int
    femto_usd: int | None
    """None: this component has no rate."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call cost, and on what grounds.

    `femto_usd` is None when nothing is known, the known part when `partial`, and 0
    when `free` or `flat_rate`. `list_femto_usd` is what the row's rates give: it
    differs under a flat rate and where the provider's own figure won.
    """

    state: State
    catalogue_sha256: str
    reason: Reason | None = None
    femto_usd: int | None = None
    list_femto_usd: int | None = None
    parts: tuple[Part, ...] = ()
    provider: str = ""
    model: str = ""
    match: str = ""
    row_id: int = 0
    flags: tuple[Flag, ...] = ()
    factor: str = ""
    """The multiplier that was used, by name and fraction, as `Multiplier.word`."""

    @property
    def words(self) -> tuple[str, ...]:
        """The flags, and the multiplier by name."""
        return (*self.flags, self.factor) if self.factor else self.flags

    @property
    def usd(self) -> Decimal | None:
        """The cost in USD, exact to 1e-15, or None when it is not known."""
        return None if self.femto_usd is None else _usd(self.femto_usd)

    @property
    def components_usd(self) -> dict[str, Decimal]:
        """The priced components in USD; they add up to the list price."""
        return {
            part.name: _usd(part.femto_usd)
            for part in self.parts
            if part.femto_usd is not None
        }

    @property
    def missing(self) -> tuple[str, ...]:
        """The components that have no rate."""
        return tuple(part.name for part in self.parts if part.femto_usd is None)


def _usd(femto: int) -> Decimal:
    return Decimal(femto).scaleb(-15)
