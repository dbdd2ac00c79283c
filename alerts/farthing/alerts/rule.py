"""A rule: one YAML file that says what is wrong, one SQL file that finds it.

The query gets `{now:DateTime64(6, 'UTC')}`, `{open:Array(String)}` (the subjects that
fire at present), the rule's parameters, and returns a row for each subject that may be
above its clear threshold, and for each open one. Its columns are those of `reading.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from farthing.alerts import wording
from farthing.alerts.alert import Severity, Unit
from farthing.alerts.duration import Seconds
from farthing.alerts.problems import problems
from farthing.errors import ConfigError, not_yaml

Scalar = bool | int | Decimal | str
_OF_FILE: Final = frozenset({"name", "sql", "baseline_sql", "history_sql"})


class Inhibition(BaseModel):
    """Say nothing while another rule fires for the same `equal` labels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str
    equal: tuple[str, ...]
    severity: Severity = "warning"


class Rule(BaseModel):
    """What a rule's file says; docs/alerts.md explains each field to its author."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    sql: str = ""
    baseline_sql: str = ""
    history_sql: str = ""

    description: str
    title: str
    summary: str
    group_title: str = "{count} alerts of {rule}"
    unit: Unit
    severities: tuple[Severity, ...] = Field(min_length=1)
    source: Literal["ledger", "collector"] = "ledger"
    enabled: bool = True
    action: Literal["tell", "stop"] = "tell"
    every: Seconds = 60
    backtest_every: Seconds = 3600
    needs: str = ""
    baseline_every: Seconds = 300
    pending_for: Seconds = Field(default=0, alias="for")
    hold: Seconds = 0
    gone_after: Seconds = 3600
    clear: Decimal = Field(default=Decimal("0.9"), gt=0, le=1)
    min_samples: int = 0
    labels: Mapping[str, str] = Field(default_factory=dict)
    group_by: tuple[str, ...] = ()
    storm_cap: int = Field(default=5, ge=1)
    repeat: Seconds | None = None
    inhibited_by: tuple[Inhibition, ...] = ()
    runbook: str = ""
    parameters: Mapping[str, Scalar] = Field(default_factory=dict)

    @field_validator("title", "summary", "group_title")
    @classmethod
    def _is_template(cls, text: str) -> str:
        try:
            wording.names(text)
        except ValueError as error:
            raise ValueError(f"{text!r} is no template: {error}") from None
        return text.strip()

    @model_validator(mode="after")
    def _group_has_its_names(self) -> Rule:
        """Sooner than in the middle of a storm."""
        known = {"count", "examples", "rule", *self.group_by, *self.labels}
        if unknown := sorted(wording.names(self.group_title) - known):
            raise ValueError(
                f"group_title asks for {', '.join(unknown)}; a group has"
                f" {', '.join(sorted(known))}: is it missing in group_by?"
            )
        return self

    @field_validator("parameters", mode="before")
    @classmethod
    def _exact(cls, values: Any) -> Any:
        """Numbers as they are written, not as floats."""
        if not isinstance(values, Mapping):
            raise ValueError("parameters are names and values")
        return {
            name: Decimal(repr(value)) if isinstance(value, float) else value
            for name, value in values.items()
        }

    def severity(self, level: int) -> Severity:
        """The severity of a level of escalation; beyond the last it stays."""
        return self.severities[min(level, len(self.severities) - 1)]


def shipped() -> dict[str, Rule]:
    """The rules that come with Farthing, by name."""
    return dict(_shipped())


@cache
def _shipped() -> tuple[tuple[str, Rule], ...]:
    return tuple(_read_folder(files("farthing.alerts") / "rules").items())


def rules(
    folder: Path | None = None, changes: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Rule]:
    """All rules by name: the shipped ones, then those of `folder`, which replace
    shipped ones of the same name, then `changes` to single fields of them.

    Raises ConfigError that names file, field and what is wrong.
    """
    found = shipped() | ({} if folder is None else _read_folder(folder))
    for name, change in (changes or {}).items():
        if name not in found:
            known = ", ".join(sorted(found))
            raise ConfigError(f"there is no rule {name!r}; there are: {known}")
        found[name] = changed(found[name], change)
    return found


def changed(rule: Rule, change: Mapping[str, Any]) -> Rule:
    """A rule with some fields replaced, parameters one by one. Raises ConfigError."""
    wrong = sorted(change.keys() & _OF_FILE)
    parameters = dict(change.get("parameters") or {})
    wrong += sorted(parameters.keys() - rule.parameters.keys())
    if wrong:
        raise ConfigError(
            f"rule {rule.name!r} has nothing to set that is called {', '.join(wrong)};"
            f" its parameters are: {', '.join(sorted(rule.parameters)) or 'none'}"
        )
    told = rule.model_dump(by_alias=True) | dict(change)
    told["parameters"] = {**rule.parameters, **parameters}
    return _checked(told, where=f"rule {rule.name!r} of the configuration")


def _read_folder(folder: Traversable) -> dict[str, Rule]:
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        raise ConfigError(f"the rules in {folder}: {error.strerror}") from None
    names = [entry.name for entry in entries if entry.name.endswith(".yaml")]
    return {
        name.removesuffix(".yaml"): _read(folder, name.removesuffix(".yaml"))
        for name in names
    }


def _read(folder: Traversable, name: str) -> Rule:
    where = str(folder / f"{name}.yaml")
    try:
        told = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise not_yaml(where, error) from None
    if not isinstance(told, dict):
        raise ConfigError(f"{where}: must be fields such as 'title: …'")
    if found := told.keys() & _OF_FILE:
        raise ConfigError(f"{where}: has no field {', '.join(sorted(found))}")
    sql = {
        "sql": _text(folder / f"{name}.sql"),
        "baseline_sql": _text(folder / f"{name}.baseline.sql"),
        "history_sql": _text(folder / f"{name}.history.sql"),
    }
    rule = _checked({"name": name, **told, **sql}, where=where)
    if rule.source == "ledger" and not rule.sql:
        raise ConfigError(f"{where}: its query is missing: write {name}.sql beside it")
    return rule


def _checked(told: Mapping[str, Any], *, where: str) -> Rule:
    try:
        return Rule.model_validate(told)
    except ValidationError as error:
        raise ConfigError(f"{where}: {problems(error)}") from None


def _text(path: Traversable) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
