"""Options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_BACK: Final = re.compile(r"^(\d+)([mhdw])$")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean …?` for what resembles a known name, else nothing."""
    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


class Names(click.Choice[str]):
    """One of some names; a misspelt one is answered with the one that it resembles."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Click's message and what may have been meant."""
        told = super().get_invalid_choice_message(value, ctx).removesuffix(".")
        return told + (did_you_mean(str(value), self.choices) or ".")


class Moment(click.ParamType[datetime]):
    """`7d`, `24h`, `30m`, `2w` ago, or an ISO date or time (UTC where it names no
    zone). Not in the future unless `future` is set."""

    name = "duration or time"

    def __init__(self, *, future: bool = False) -> None:
        self._future = future

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The moment, in UTC."""
        if isinstance(value, datetime):
            return value
        try:
            moment = _moment(value.strip())
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is neither like 7d or 24h nor an ISO date such as"
                " 2026-11-20 or 2026-11-20T08:00",
                param,
                ctx,
            )
        if moment > datetime.now(UTC) and not self._future:
            self.fail(f"{value!r} is in the future", param, ctx)
        return moment


def _moment(text: str) -> datetime:
    back = _BACK.match(text)
    if back:
        moment = datetime.now(UTC) - timedelta(**{_UNITS[back[2]]: int(back[1])})
    else:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(moment, _EPOCH).astimezone(UTC)


data_option = click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Data folder, instead of the configured one.",
)
config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="File of settings, instead of the one that FARTHING_CONFIG names.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")


def since_option(default: str, *, note: str = "") -> Callable[[F], F]:
    """`--since`, with its default."""
    return click.option(
        "--since",
        type=Moment(),
        metavar="WHEN",
        default=default,
        show_default=True,
        help=f"How far back: 7d, 24h, or a date.{note}",
    )
