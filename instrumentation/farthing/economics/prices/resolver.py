"""From an emitter's provider and model to the model whose rows price the call.

Three steps, each a table that SQL can use too: (a) the provider by its exact name or
by the host; (b) the model reference in normal form; (c) an exact look-up, then one of
the id without one allowed suffix, then the provider's own wildcard (user rules only).
Nothing is matched by likeness: an unknown name is unknown.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from farthing.economics.prices.rates import ModelId
from farthing.economics.prices.rules import OTHERS_RE, PROFILE_RE, Rules

ANY_MODEL = "*"
"""The id under which a user's rule for a whole provider is listed."""
_BLANKS = " \t\r\n"
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class Unresolved(StrEnum):
    """Why a call has no model; also reasons of a cost."""

    UNKNOWN_PROVIDER = "unknown_provider"
    UNKNOWN_HOST = "unknown_host"
    NO_MODEL = "no_model"
    UNKNOWN_MODEL = "unknown_model"
    DEPLOYMENT_NOT_MAPPED = "deployment_not_mapped"


class Resolution(NamedTuple):
    """The canonical names of a call, and how they were found."""

    provider: str
    model: str
    """"" when unresolved."""
    match: str
    """exact, alias, dated, user, or "" when unresolved."""
    id: str
    """The normalised reference that was looked up (for `dated`, its stem)."""
    region: str
    """The region that the reference itself names, or ""."""
    reason: Unresolved | None
    host_assumed: bool = False
    """The host is the caller's own, so that the provider's word had to do."""


def fold(text: str) -> str:
    """Trimmed and in lower case. Only ASCII is folded, as in ClickHouse's `lower`."""
    return text.strip(_BLANKS).translate(_LOWER)


def resolve(
    rules: Rules,
    models: Mapping[tuple[str, str], ModelId],
    *,
    provider: str,
    host: str,
    ref: str,
) -> Resolution:
    """Resolve one reference. Never raises; the reason says what was missing."""
    name, reason, assumed = resolve_provider(rules, provider, host=host)
    raw = fold(ref)
    if name == "anthropic" and re.search(PROFILE_RE, raw):
        name = "aws"  # Its clients ask Bedrock, too; no model of its own is named so.
    if reason is not None:
        return Resolution(name, "", "", raw, "", reason)
    if not raw:
        return Resolution(name, "", "", "", "", Unresolved.NO_MODEL)
    region = _region(rules, name, raw)
    wanted = normalise(rules, name, raw)
    found, match, looked_up = _look_up(rules, models, name, wanted)
    if found is None:
        missing = _missing(rules, name, raw)
        return Resolution(name, "", "", wanted, region, missing)
    return Resolution(name, found.model, match, looked_up, region, None, assumed)


def resolve_provider(
    rules: Rules, provider: str, *, host: str
) -> tuple[str, Unresolved | None, bool]:
    """Our id of the provider, or the emitter's word for it and why it is unknown.

    A host decides for `openai` and for unknown names: many servers speak OpenAI's
    protocol, and their calls are not OpenAI's. A host of the caller's own, a gateway
    or a proxy, says nothing: OpenAI is assumed, which the third value tells. For
    `anthropic` decide the hosts alone that are known to serve its protocol.
    """
    word, place = fold(provider), fold(host)
    name = rules.provider_aliases.get(word)
    server = _server(rules, place) if place else ""
    if name == "anthropic" and re.search(OTHERS_RE, server):
        name = None
    if place and name in (None, "openai"):
        by_host = _provider_of_host(rules, server)
        if by_host is not None:
            return by_host, None, False
        if name == "openai":
            own = rules.own_host_pattern.search(server) is not None
            return name, None if own else Unresolved.UNKNOWN_HOST, own
    if name is None:
        return word, Unresolved.UNKNOWN_PROVIDER, False
    return name, None, False


def normalise(rules: Rules, provider: str, folded_ref: str) -> str:
    """The normal form of a folded model reference at a provider of ours."""
    ref = folded_ref
    for pattern, replacement in rules.steps.get(provider, ()):
        ref = pattern.sub(replacement, ref, count=1)
    return ref


def stem(rules: Rules, model_id: str) -> str | None:
    """The id without one allowed suffix, or None if it has none."""
    found = rules.suffix_pattern.match(model_id)
    return found[1] if found else None


def _server(rules: Rules, place: str) -> str:
    found = rules.host_pattern.match(place)
    return found[1].rstrip(".") if found else ""


def _provider_of_host(rules: Rules, name: str) -> str | None:
    while name:
        if name in rules.hosts:
            return rules.hosts[name]
        name = name.partition(".")[2]
    return None


def _look_up(
    rules: Rules, models: Mapping[tuple[str, str], ModelId], provider: str, wanted: str
) -> tuple[ModelId | None, str, str]:
    found = models.get((provider, wanted))
    if found is not None:
        return found, found.kind, wanted
    short = stem(rules, wanted)
    if short is not None:
        found = models.get((provider, short))
        if found is not None and found.dated_ok:
            return found, "dated", short
    found = models.get((provider, ANY_MODEL))
    return found, "user", wanted


def _region(rules: Rules, provider: str, raw: str) -> str:
    for row_provider, pattern in rules.regions:
        if row_provider == provider:
            found = re.search(pattern, raw)
            if found:
                return found[1]
    return ""


def _missing(rules: Rules, provider: str, raw: str) -> Unresolved:
    for row_provider, pattern in rules.unmapped:
        if row_provider == provider and re.search(pattern, raw):
            return Unresolved.DEPLOYMENT_NOT_MAPPED
    return Unresolved.UNKNOWN_MODEL
