"""The agent's environment: the only place of its process that reads it.

A value that cannot be used is told in one log line, and its default holds.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Generic, TypeVar
from urllib.parse import unquote

from farthing import semconv

T = TypeVar("T")
_logger: Final = logging.getLogger("farthing")
LONGEST_TAG: Final = 256


@dataclass(frozen=True)
class Variable(Generic[T]):
    """A variable, and how it reads: `parse` raises ValueError for what it cannot use.

    `allowed` completes the sentence "NAME must be …".
    """

    name: str
    parse: Callable[[str], T]
    default: T
    allowed: str

    def accepts(self, text: str) -> bool:
        """Whether `text` is a value that it can have."""
        try:
            self.parse(text)
        except (ValueError, ArithmeticError):
            return False
        return True

    def read(self, environ: Mapping[str, str]) -> T:
        """Its value in `environ`; the default where it is absent, empty or wrong."""
        text = environ.get(self.name, "").strip()
        if not text:
            return self.default
        if self.accepts(text):
            return self.parse(text)
        _logger.warning(
            "farthing: %s must be %s, not %r; it is ignored",
            self.name,
            self.allowed,
            text[:80],
        )
        return self.default


def tag_value(text: str) -> str:
    """`text` as the value of a tag: printable, no longer than LONGEST_TAG.

    Raises ValueError for any other.
    """
    if len(text) > LONGEST_TAG or not text.isprintable():
        raise ValueError(text)
    return text


def number(text: str, *, least: float, most: float) -> float:
    """A number of seconds or the like; raises ValueError out of its bounds."""
    value = float(text)
    if not least <= value <= most:
        raise ValueError(text)
    return value


def hosts(text: str) -> tuple[str, ...]:
    """`api.example.com, *.internal.example.com` as lower-case patterns."""
    found = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if any(set(host) & set("/ @") or "://" in host for host in found):
        raise ValueError(text)
    return found


def _names(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())


TAGS: Final[Mapping[str, str]] = {
    "FARTHING_TASK_TYPE": semconv.TASK_TYPE,
    "FARTHING_TASK_ID": semconv.TASK_ID,
    "FARTHING_STEP": semconv.STEP_NAME,
    "FARTHING_BUSINESS_UNIT": semconv.BUSINESS_UNIT,
    "FARTHING_TEAM": semconv.TEAM,
    "FARTHING_USER": semconv.USER,
}
"""Variable -> the attribute that it puts on every span and log record."""

_TAG_VALUE: Final = f"printable and at most {LONGEST_TAG} characters long"
_TAG_VARIABLES: Final = tuple(
    Variable(name, tag_value, default="", allowed=_TAG_VALUE) for name in TAGS
)
FLUSH_TIMEOUT: Final = Variable(
    "FARTHING_FLUSH_TIMEOUT_SECONDS",
    partial(number, least=0, most=60),
    default=5.0,
    allowed="a number of seconds from 0 to 60",
)
PROPAGATE_TO: Final[Variable[tuple[str, ...]]] = Variable(
    "FARTHING_PROPAGATE_TO",
    hosts,
    default=(),
    allowed="host names with commas between them, as in api.example.com,*.example.net",
)
INCLUDE_USAGE: Final = Variable(
    "FARTHING_INCLUDE_USAGE",
    lambda text: ",".join(hosts(text)),
    default="",
    allowed="off, or names of further hosts with commas between them",
)
DISABLED: Final = Variable(
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
    _names,
    default=frozenset[str](),
    allowed="names of instrumentations with commas between them",
)

VARIABLES: Final[tuple[Variable[Any], ...]] = (
    *_TAG_VARIABLES,
    FLUSH_TIMEOUT,
    PROPAGATE_TO,
    INCLUDE_USAGE,
    DISABLED,
)

_READ_ELSEWHERE: Final = (
    "FARTHING_FINGERPRINTS",
    "FARTHING_FINGERPRINT_KEY",
    "FARTHING_BUDGET_USD",
    "FARTHING_BUDGET_STEPS",
    "FARTHING_BUDGET_STEP_TOKENS",
    "FARTHING_BUDGET_TOOL_RETRIES",
    "FARTHING_BUDGETS",
    "FARTHING_BUDGETS_FILE",
    "FARTHING_ON_BUDGET",
    "FARTHING_ON_BUDGET_UNKNOWN",
    "FARTHING_ON_LOOP",
    "FARTHING_PRICES_FILE",
)
"""Variables of the fingerprints and the guard, which are imported only when needed."""
_CLOSE: Final = 0.9

DEFAULTS: Final[Mapping[str, str]] = {
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "none",  # tokens without cache and tags: of no use to us
    "OTEL_LOGS_EXPORTER": "none",  # the collector prices spans
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    # A caller that samples its traces must not hide what its call cost.
    "OTEL_TRACES_SAMPLER": "always_on",
    # What is killed at once loses a second of spans, not five.
    "OTEL_BSP_SCHEDULE_DELAY": "1000",
    # The SDK would send traceparent and baggage to its API.
    "ANTHROPIC_OPEN_TELEMETRY_PROPAGATION": "false",
    "TRACELOOP_TRACE_CONTENT": "false",
    "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
    "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
}
"""What the distro sets where the user has not; children inherit it."""

DISTRO: Final = "OTEL_PYTHON_DISTRO"
_CONFIGURATION_FILES: Final = ("OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE")


@dataclass(frozen=True)
class Settings:
    """What the environment says, checked.

    `tags` are attributes for every span; `traceparent` is the parent process's span, if
    it told one; `is_disabled` says that OpenTelemetry's SDK is switched off.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    flush_timeout_s: float = FLUSH_TIMEOUT.default
    propagate_to: tuple[str, ...] = ()
    include_usage: str = ""
    disabled: frozenset[str] = frozenset()
    traceparent: str = ""
    tracestate: str = ""
    is_disabled: bool = False


@dataclass(frozen=True, slots=True)
class Exporting:
    """Where and how this environment sends spans, as OpenTelemetry's exporter reads it.

    `headers` may hold a token.
    """

    exporter: str
    protocol: str
    url: str
    headers: Mapping[str, str]
    sampler: str


def exporting(environ: Mapping[str, str] | None = None) -> Exporting:
    """What holds in `environ`, with our defaults for what it does not say."""
    env = {**DEFAULTS, **(os.environ if environ is None else environ)}
    protocol = env["OTEL_EXPORTER_OTLP_PROTOCOL"]
    endpoint = env.get("OTEL_EXPORTER_OTLP_ENDPOINT") or "http://localhost:4318"
    traces = env.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    headers = (
        env.get("OTEL_EXPORTER_OTLP_TRACES_HEADERS")
        or env.get("OTEL_EXPORTER_OTLP_HEADERS")
        or ""
    )
    pairs = (part.partition("=") for part in headers.split(",") if "=" in part)
    return Exporting(
        exporter=env["OTEL_TRACES_EXPORTER"],
        protocol=env.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or protocol,
        url=traces or endpoint.rstrip("/") + "/v1/traces",
        headers={name.strip(): unquote(value.strip()) for name, _, value in pairs},
        sampler=env["OTEL_TRACES_SAMPLER"],
    )


def environment() -> Mapping[str, str]:
    """The process's environment, for those that declare variables of their own."""
    return os.environ


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in `environ`, this process's if none is given. Never raises."""
    env = os.environ if environ is None else environ
    found = {TAGS[tag.name]: tag.read(env) for tag in _TAG_VARIABLES}
    return Settings(
        tags={name: value for name, value in found.items() if value},
        flush_timeout_s=FLUSH_TIMEOUT.read(env),
        propagate_to=PROPAGATE_TO.read(env),
        include_usage=INCLUDE_USAGE.read(env),
        disabled=DISABLED.read(env),
        traceparent=env.get("TRACEPARENT", ""),
        tracestate=env.get("TRACESTATE", ""),
        is_disabled=env.get("OTEL_SDK_DISABLED", "").strip().lower() == "true",
    )


def misspelt(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Variables that nothing reads, each with the one that it is probably meant to be.
    The collector's own are unlike an agent's, and are left alone."""
    known = {*(variable.name for variable in VARIABLES), *_READ_ELSEWHERE}
    strange = {name for name in environ if name.startswith("FARTHING_")} - known
    if not strange:
        return {}
    from difflib import get_close_matches  # hardly any process needs it

    near = {
        name: get_close_matches(name, known, n=1, cutoff=_CLOSE)
        for name in sorted(strange)
    }
    return {name: found[0] for name, found in near.items() if found}


def tell_misspelt() -> None:
    """Name them in the log, a line each."""
    for name, meant in misspelt(os.environ).items():
        _logger.warning("farthing: %s means nothing: is it %s?", name, meant)


def set_defaults() -> None:
    """Set what DEFAULTS names and the user has not set."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)


def exports_spans_alone() -> bool:
    """Whether neither logs nor metrics are exported, as far as variables say, which is
    so unless the user wants it."""
    exporters = (
        os.environ.get(f"OTEL_{what}_EXPORTER") for what in ("LOGS", "METRICS")
    )
    has_file = any(os.environ.get(name) for name in _CONFIGURATION_FILES)
    return not has_file and all(one == "none" for one in exporters)


def set_variables(values: Mapping[str, str | None]) -> None:
    """Set variables for the program that this process becomes; None leaves one be."""
    os.environ.update({name: value for name, value in values.items() if value})


def choose_distro(installed: frozenset[str]) -> None:
    """Make ours the distro where the only other one is OpenTelemetry's plain one.

    Without a choice OpenTelemetry takes whichever it happens to find first.
    """
    if installed <= {"distro", "farthing"}:
        os.environ.setdefault(DISTRO, "farthing")
