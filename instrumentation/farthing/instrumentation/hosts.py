"""Where tags may be sent: to services of one's own, never to a model's provider."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from weakref import WeakSet

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_OWN_SUFFIXES: Final = (".local", ".internal", ".svc", ".lan", ".localhost", ".test")
_URLS: Final = ("url.full", "http.url")
_NAMES: Final = ("server.address", "net.peer.name", "http.host")
OPERATION: Final = "gen_ai.operation.name"
MODEL_CALLS: Final = frozenset(
    {"chat", "embeddings", "generate_content", "text_completion"}
)


class Surroundings:
    """Which spans lie within a model call: their requests go to its provider."""

    def __init__(self) -> None:
        self._within: WeakSet[ReadableSpan] = WeakSet()

    def note(
        self, span: ReadableSpan, parent: ReadableSpan, known: Mapping[str, object]
    ) -> None:
        """A span began below `parent`, of which this is known."""
        if known.get(OPERATION) in MODEL_CALLS or parent in self._within:
            self._within.add(span)

    def is_model_call(self, span: ReadableSpan) -> bool:
        """Whether `span` is a model call, or lies within one."""
        return is_model_call(span) or span in self._within


def is_model_call(span: ReadableSpan) -> bool:
    """Whether `span` says that it is a model call."""
    return said_by(span).get(OPERATION) in MODEL_CALLS


def said_by(span: ReadableSpan) -> Mapping[str, Any]:
    """A span's attributes, to be looked up by name: the dictionary that the SDK keeps
    them in, where it does so as we know it. Its own mapping takes a lock, and raises
    inside, for each name that is asked for."""
    own = getattr(span._attributes, "_dict", None)  # noqa: SLF001
    return own if type(own) is dict else span.attributes or {}


def host_of(attributes: Mapping[str, object]) -> str:
    """The host that a client's span asks, in lower case; "" if it does not say."""
    for name in _URLS:
        host = urlsplit(str(attributes.get(name, ""))).hostname
        if host:
            return host
    named = next((str(attributes[name]) for name in _NAMES if attributes.get(name)), "")
    return (urlsplit(f"//{named}").hostname or "").rstrip(".")


def may_be_told(host: str, allowed: tuple[str, ...]) -> bool:
    """Whether tags may be sent to `host`: one of one's own network, or `allowed`, a
    pattern such as `*.example.com`; never one that serves models."""
    if not host:
        return False
    if is_own(host):
        return True
    wanted = any(fnmatchcase(host, pattern) for pattern in allowed)
    return wanted and not _serves_models(host)


def is_own(host: str) -> bool:
    """Whether `host` can only be in one's own network: a name without a dot, one with a
    suffix for private use, or a private address."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(_OWN_SUFFIXES)


def _serves_models(host: str) -> bool:
    return any(host == known or host.endswith(f".{known}") for known in _providers())


@cache
def _providers() -> tuple[str, ...]:
    """Hosts of model providers, from the price book's rules."""
    rules = files("farthing.economics.prices") / "data" / "rules.json"
    return tuple(json.loads(rules.read_text())["hosts"])
