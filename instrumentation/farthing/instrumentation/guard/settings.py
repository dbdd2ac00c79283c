"""What the guard was told to hold an agent to: the environment's words, checked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from farthing.economics.budgets import RunLimits
from farthing.economics.leases import PATH
from farthing.errors import ConfigError
from farthing.instrumentation.settings import exporting

_FEMTO_PER_USD: Final = 10**15
_MOST_USD: Final = Decimal(1_000_000)


class Action(StrEnum):
    """What happens at a limit, or in a loop."""

    OFF = "off"
    WARN = "warn"
    """Tell, once per limit and run; every call is sent."""
    STOP = "stop"
    """Raise before the next call is sent."""
    HANDBACK = "handback"
    """Send the next call once, with a message that asks the agent to wrap up; then
    raise."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for the runs of one task type. `sources` says, by the names of FIELDS,
    where each word is to be found: a variable, or a place in the file."""

    limits: RunLimits = field(default_factory=RunLimits)
    on_budget: Action = Action.STOP
    on_loop: Action = Action.OFF
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def is_on(self) -> bool:
        """Whether there is anything to watch."""
        return bool(self.limits) or self.on_loop is not Action.OFF


@dataclass(frozen=True, slots=True)
class Sharing:
    """Where budgets that processes share are asked for, and what happens while nobody
    answers. `headers` may hold a token."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    certificate: str = ""
    on_unknown: Action = Action.WARN


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """Rules for all runs, and for those of some task types; budgets that are shared,
    if they are asked for."""

    default: Rules = field(default_factory=Rules)
    task_types: Mapping[str, Rules] = field(default_factory=dict)
    sharing: Sharing | None = None

    @property
    def is_on(self) -> bool:
        """Whether a guard is wanted at all."""
        rules = (self.default, *self.task_types.values())
        return self.sharing is not None or any(each.is_on for each in rules)

    def rules(self, task_type: str) -> Rules:
        """What holds for a run of this type."""
        return self.task_types.get(task_type, self.default)


FIELDS: Final = {
    "usd": "FARTHING_BUDGET_USD",
    "steps": "FARTHING_BUDGET_STEPS",
    "step_tokens": "FARTHING_BUDGET_STEP_TOKENS",
    "tool_retries": "FARTHING_BUDGET_TOOL_RETRIES",
    "on_budget": "FARTHING_ON_BUDGET",
    "on_loop": "FARTHING_ON_LOOP",
}
"""Each rule's name in the file, and its variable."""

FILE_VARIABLE: Final = "FARTHING_BUDGETS_FILE"
SHARED_VARIABLE: Final = "FARTHING_BUDGETS"
UNKNOWN_VARIABLE: Final = "FARTHING_ON_BUDGET_UNKNOWN"
_CERTIFICATE: Final = "OTEL_EXPORTER_OTLP_CERTIFICATE"


class _Word(NamedTuple):
    """What was said, and where."""

    text: str
    source: str


def read_settings(environment: Mapping[str, str]) -> GuardSettings:
    """The guard's settings from environment variables and the file that they name.

    A task type's own words in the file win over the environment, which wins over the
    file's `default`. Raises ConfigError that lists every problem at once.
    """
    problems: list[str] = []
    file = _file(environment.get(FILE_VARIABLE, ""), problems)
    told = {
        name: _Word(environment[variable], variable)
        for name, variable in FIELDS.items()
        if environment.get(variable, "").strip()
    }
    place = environment.get(FILE_VARIABLE, "")
    default = _fields(file.get("default"), "default", place, problems) | told
    types = _mapping(file.get("task_types"), "task_types", problems)
    by_type = {
        name: default | _fields(own, f"task_types.{name}", place, problems)
        for name, own in types.items()
    }
    settings = GuardSettings(
        _rules(default, problems),
        {name: _rules(words, problems) for name, words in by_type.items()},
        _sharing(environment, problems),
    )
    if problems:
        raise ConfigError("\n".join(dict.fromkeys(problems)))
    return settings


def _sharing(environment: Mapping[str, str], problems: list[str]) -> Sharing | None:
    """`collector` is where spans are sent, which must be over HTTP."""
    word = environment.get(SHARED_VARIABLE, "").strip()
    unknown = environment.get(UNKNOWN_VARIABLE, "").strip().lower() or "warn"
    if unknown not in (Action.WARN, Action.STOP):
        problems.append(f"{UNKNOWN_VARIABLE}: {unknown!r} is neither warn nor stop")
        return None
    if word.lower() in ("", "off"):
        return None
    sends = exporting(environment)
    base = word
    if word.lower() == "collector" and sends.protocol.startswith("http/"):
        base = sends.url.removesuffix("/v1/traces")
    if urlsplit(base).scheme not in ("http", "https"):
        problems.append(
            f"{SHARED_VARIABLE}: {word!r} is neither off, collector (where spans are"
            " sent over HTTP) nor the collector's address, as http://127.0.0.1:4318"
        )
        return None
    return Sharing(
        base.rstrip("/") + PATH,
        sends.headers,
        environment.get(_CERTIFICATE, ""),
        Action(unknown),
    )


def _file(name: str, problems: list[str]) -> Mapping[str, Any]:
    if not name.strip():
        return {}
    try:
        data = json.loads(Path(name).read_text(), parse_float=str, parse_int=str)
    except (OSError, ValueError) as error:
        problems.append(f"{FILE_VARIABLE}: {name} cannot be read as JSON: {error}")
        return {}
    found = _mapping(data, name, problems)
    problems += [
        f"{name}: unknown section {key!r}; use default or task_types"
        for key in sorted(set(found) - {"default", "task_types"})
    ]
    return found


def _mapping(value: Any, where: str, problems: list[str]) -> Mapping[str, Any]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return value
    problems.append(f"{where}: must be an object such as {{'usd': '0.50'}}")
    return {}


def _fields(value: Any, where: str, file: str, problems: list[str]) -> dict[str, _Word]:
    found = _mapping(value, where, problems)
    problems += [
        f"{where}: unknown limit {key!r}; there are {', '.join(FIELDS)}"
        for key in sorted(set(found) - set(FIELDS))
    ]
    return {
        key: _Word(str(word), f"{where}.{key} in {file}")
        for key, word in found.items()
        if key in FIELDS
    }


def _rules(words: Mapping[str, _Word], problems: list[str]) -> Rules:
    def read(name: str, reader: Callable[[str], Any]) -> Any:
        if name not in words:
            return None
        try:
            return reader(words[name].text.strip())
        except ValueError as error:
            problems.append(f"{words[name].source}: {error}")
            return None

    limits = RunLimits(
        femto_usd=read("usd", femto_usd),
        steps=read("steps", _count),
        step_tokens=read("step_tokens", _count),
        tool_retries=read("tool_retries", _count),
    )
    return Rules(
        limits,
        read("on_budget", lambda word: _action(word, off=False)) or Action.STOP,
        read("on_loop", lambda word: _action(word, off=True)) or Action.OFF,
        {name: word.source for name, word in words.items()},
    )


def femto_usd(word: str) -> int:
    """An amount of US dollars, such as `0.50`, in femto-USD. Raises ValueError."""
    try:
        amount = Decimal(word.removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 < amount <= _MOST_USD:
        raise ValueError(f"{word!r} is no amount of US dollars such as 0.50")
    return int(amount * _FEMTO_PER_USD)


def _count(word: str) -> int:
    number = word.replace("_", "")
    if not (number.isascii() and number.isdigit() and int(number) > 0):
        raise ValueError(f"{word!r} is no whole number above 0")
    return int(number)


def _action(word: str, *, off: bool) -> Action:
    allowed = [a for a in Action if off or a is not Action.OFF]
    if word.lower() not in allowed:
        raise ValueError(f"{word!r} is none of {', '.join(allowed)}")
    return Action(word.lower())
