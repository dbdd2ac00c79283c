"""Options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_BACK: Final = re.compile(r"^(\d+)([mhdw])$")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


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
