"""What a channel is, and how the configuration's become channels.

A channel sends one notice once and says with a DeliveryError why it could not; when to
try again, in which order and how often is said in one place for all of them
(`deliver.py`). To add one is to add `channels/<type>.py` with a `CHANNEL`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Protocol, runtime_checkable

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)

from farthing.alerts.alert import Alert, Notice
from farthing.alerts.problems import problems
from farthing.errors import ConfigError
from farthing.plugins import load

FAMILY: Final = "farthing.alerts.channels"
Clock = Callable[[], datetime]
Reference = Mapping[str, str]
"""What a provider called the message about an alert; kept in the outbox, no secrets."""


class Channel(Protocol):
    """Where notices go. Called from one thread at a time."""

    def send(self, notice: Notice, reference: Reference) -> Reference:
        """Send `notice` once; `reference` is what the last one about the same alert
        returned, empty for the first. Raises DeliveryError."""

    def close(self) -> None:
        """Give up what is kept open."""


@runtime_checkable
class Reposting(Protocol):
    """A channel whose receiver forgets what it is not told again."""

    @property
    def repost_every_s(self) -> float:
        """How often it wants to hear of what still fires."""

    def repost(self, alerts: Sequence[Alert]) -> None:
        """Say that they still fire. Raises DeliveryError."""


class Pictures(Protocol):
    """Where a channel's pictures go. Called from one thread at a time, which is another
    than the channel's."""

    def post(self, notice: Notice, png: bytes, reference: Reference) -> None:
        """Add a picture once to the message that the channel's `reference` tells of.
        Raises DeliveryError."""

    def close(self) -> None:
        """Give up what is kept open."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What a destination takes: so many at once, then so many per second."""

    per_s: float
    burst: int


class ChannelSettings(BaseModel):
    """What every channel can be told in the configuration.

    Attributes:
        type: Which file of `channels/`.
        fallback: Channel that is told when this one cannot be.
        fallback_after_s: How long this one is tried before the other is told too.
        timeout_s: How long one attempt may take.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    fallback: str = ""
    fallback_after_s: float = Field(default=300, ge=0)
    timeout_s: float = Field(default=10, gt=0, le=120)

    def secrets(self) -> list[str]:
        """The values of all secret fields, for redaction."""
        values = (getattr(self, name) for name in type(self).model_fields)
        flat = (
            item
            for value in values
            for item in (value if isinstance(value, tuple) else (value,))
        )
        return [item.get_secret_value() for item in flat if isinstance(item, SecretStr)]


@dataclass(frozen=True, slots=True)
class ChannelType:
    """What `channels/<type>.py` has to say as its CHANNEL.

    `open` gets settings of the class `settings`, and a clock for what it dates;
    `pictures`, where the channel takes any, the settings.
    """

    settings: type[ChannelSettings]
    open: Callable[[Any, Clock], Channel]
    rate: Rate
    pictures: Callable[[Any], Pictures] | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A channel of the configuration, ready to send."""

    name: str
    channel: Channel
    rate: Rate
    fallback: str = ""
    fallback_after_s: float = 300
    pictures: Pictures | None = None


def _is_url(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ValueError("not an address, as in https://example.com/path")
    return value


def _is_secret_url(value: SecretStr) -> SecretStr:
    _is_url(value.get_secret_value())
    return value


Url = Annotated[str, AfterValidator(_is_url)]
"""A field for an address that may be shown."""
SECRET_URL: Final = AfterValidator(_is_secret_url)
"""Put after a Secret that has to be an address: `Annotated[Secret, SECRET_URL]`."""


def utc_now() -> datetime:
    """The clock of everything that is not a test."""
    return datetime.now(UTC)


def open_channels(
    told: Mapping[str, Mapping[str, Any]],
    *,
    environ: Mapping[str, str],
    clock: Clock = utc_now,
) -> dict[str, Opened]:
    """The channels of a configuration: name -> its settings, `type` first.

    `environ` is where `{env: NAME}` looks. Raises ConfigError for all that is wrong
    with one of them; secrets are not shown.
    """
    opened = {
        name: _open(name, settings, environ=environ, clock=clock)
        for name, settings in told.items()
    }
    for channel in opened.values():
        _check_fallback(channel, opened)
    return opened


def _open(
    name: str, told: Mapping[str, Any], *, environ: Mapping[str, str], clock: Clock
) -> Opened:
    kind = _type(name, told)
    try:
        settings = kind.settings.model_validate(told, context={"environ": environ})
    except ValidationError as error:
        raise ConfigError(f"channel {name!r} is wrong: {problems(error)}") from None
    return Opened(
        name,
        kind.open(settings, clock),
        kind.rate,
        fallback=settings.fallback,
        fallback_after_s=settings.fallback_after_s,
        pictures=None if kind.pictures is None else kind.pictures(settings),
    )


def _type(name: str, told: Mapping[str, Any]) -> ChannelType:
    if not isinstance(told.get("type"), str):
        raise ConfigError(f"channel {name!r} has no type, as in `type: slack_webhook`")
    found = load(FAMILY, told["type"], "CHANNEL")
    assert isinstance(found, ChannelType)
    return found


def _check_fallback(channel: Opened, opened: Mapping[str, Opened]) -> None:
    if not channel.fallback:
        return
    if channel.fallback not in opened:
        known = ", ".join(opened)
        raise ConfigError(
            f"channel {channel.name!r} falls back on {channel.fallback!r},"
            f" which is none of {known}"
        )
    if channel.fallback == channel.name or opened[channel.fallback].fallback:
        raise ConfigError(
            f"channel {channel.name!r} falls back on {channel.fallback!r}: a fallback"
            " is another channel, without one of its own"
        )
