"""Who is told of what: the alert settings of an installation, one YAML file.

page_url: https://farthing.example.com
docs_url: https://git.example.com/farthing/blob/main
channels: {growth-slack: {type: slack_bot, …}}   # docs/channels.md
owners:   [{match: {team: growth}, owner: "@growth-oncall"}]
routes:   [{match: {severity: [critical]}, channels: [pager, growth-slack]}]
rules:    {run-cost: {parameters: {factor: 4}}}
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from farthing.alerts.duration import Seconds
from farthing.alerts.problems import problems
from farthing.alerts.rule import Rule, rules
from farthing.errors import ConfigError, not_yaml

_HOUR_S: Final = 3600
_NOT_READ: Final = frozenset({"alertmanager", "pagerduty"})


class Match(BaseModel):
    """Labels that must have one of some values. Every alert has `rule`, `severity`
    and, of its rule, `route`, besides its own labels. `*` is any value but none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)

    @field_validator("match", mode="before")
    @classmethod
    def _one_or_several(cls, told: Any) -> Any:
        if not isinstance(told, Mapping):
            raise ValueError("match holds labels and values, as in {team: growth}")
        return {
            str(name): [str(v) for v in value]
            if isinstance(value, list | tuple)
            else [str(value)]
            for name, value in told.items()
        }

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Whether all of it matches; of nothing, everything does."""
        return all(
            labels.get(name, "") in wanted or ("*" in wanted and labels.get(name))
            for name, wanted in self.match.items()
        )


class Route(Match):
    """Channels for the alerts that match. The first route that fits decides, and those
    after it only where it says `go_on`."""

    channels: tuple[str, ...]
    go_on: bool = False


class Owner(Match):
    """Who acts on the alerts that match; the first that fits is named."""

    owner: str


class Silence(Match):
    """Nobody is told of what matches, until a moment."""

    id: str
    until: datetime
    by: str = ""
    reason: str = ""
    made_at: datetime


class Policy(BaseModel):
    """The alert settings of an installation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page_url: str = ""
    docs_url: str = ""
    channels: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    owners: tuple[Owner, ...] = ()
    rules: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    rules_folder: Path | None = None
    repeat: Seconds = 4 * _HOUR_S
    weekly_report: str = ""

    def channels_for(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """The channels that hear of an alert; all of them where no route is made."""
        if not self.routes:
            return tuple(self.channels)
        found: dict[str, None] = {}
        for route in self.routes:
            if route.fits(labels):
                found |= dict.fromkeys(route.channels)
                if not route.go_on:
                    break
        return tuple(found)

    def owner_of(self, labels: Mapping[str, str]) -> str:
        """Who acts on an alert; empty where nobody is named."""
        fitting = (owner.owner for owner in self.owners if owner.fits(labels))
        return next(fitting, "")

    def url_of(self, labels: Mapping[str, str]) -> str:
        """Where to look at the run that an alert is about, else at all alerts."""
        if not self.page_url:
            return ""
        run = quote(labels.get("run_id", ""), safe="")
        path = f"runs/{run}" if run else "dashboards/alerts"
        return f"{self.page_url.rstrip('/')}/{path}"

    def runbook_of(self, rule: Rule) -> str:
        """What to do about an alert: a URL, or where nobody said where this
        documentation is to be read, its path there."""
        if not self.docs_url or "://" in rule.runbook or not rule.runbook:
            return rule.runbook
        return f"{self.docs_url.rstrip('/')}/{rule.runbook}"

    def all_rules(self) -> dict[str, Rule]:
        """The rules that are evaluated, by name. Raises ConfigError."""
        found = rules(self.rules_folder, self.rules)
        return {name: rule for name, rule in found.items() if rule.enabled}


def read_policy(path: Path | None) -> Policy:
    """The settings in a file, or the default ones: rules are evaluated, and nobody is
    told. Raises ConfigError that names what is wrong."""
    if path is None:
        return Policy()
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not text in UTF-8") from None
    except yaml.YAMLError as error:
        raise not_yaml(path, error) from None
    if not isinstance(told, dict):
        raise ConfigError(f"{path}: must be settings such as 'owners: []'")
    try:
        policy = Policy.model_validate(told)
    except ValidationError as error:
        raise ConfigError(f"{path}: {problems(error)}") from None
    _check(policy, path)
    _check_report(policy, path)
    if policy.rules_folder is not None:  # relative to the file that names it
        folder = path.parent / policy.rules_folder.expanduser()
        policy = policy.model_copy(update={"rules_folder": folder})
    policy.all_rules()
    return policy


def _check(policy: Policy, path: Path) -> None:
    named = {channel for route in policy.routes for channel in route.channels}
    if unknown := sorted(named - policy.channels.keys()):
        known = ", ".join(sorted(policy.channels)) or "none"
        raise ConfigError(
            f"{path}: a route names channels that are not there:"
            f" {', '.join(unknown)}; there are: {known}"
        )


def _check_report(policy: Policy, path: Path) -> None:
    channel = policy.weekly_report
    if not channel:
        return
    if channel not in policy.channels:
        known = ", ".join(sorted(policy.channels)) or "none"
        raise ConfigError(
            f"{path}: weekly_report: there is no channel {channel!r};"
            f" there are: {known}"
        )
    kind = policy.channels[channel].get("type")
    if kind in _NOT_READ:
        raise ConfigError(
            f"{path}: weekly_report: {channel!r} is of type {kind}, where a report"
            " would be an incident that nobody ends; name a channel that people read"
        )
