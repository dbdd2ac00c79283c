"""Prometheus Alertmanager, by its API v2: each peer is told, again and again.

Alertmanager ends an alert that it is not told of any more, so each says when that would
be, four times as late as it is told again. Its identity there is the set of its labels:
when a severity changes, the alert with the old one is ended. That somebody acknowledged
it is unknown there, and told as an annotation.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import Field

from farthing.alerts.alert import Alert, Notice
from farthing.alerts.channel import (
    ChannelSettings,
    ChannelType,
    Clock,
    Rate,
    Reference,
    Url,
)
from farthing.alerts.message_prometheus import annotations_of, labels_of
from farthing.alerts.post import Poster, as_json
from farthing.alerts.secret import Secret
from farthing.errors import DeliveryError

_MISSED: Final = 4
_BATCH: Final = 500


class AlertmanagerSettings(ChannelSettings):
    """`urls` are all peers of the cluster; `token` a bearer token, where one is asked
    for; `repost_every_s` how often firing alerts are told again."""

    urls: tuple[Url, ...] = Field(min_length=1)
    token: Secret | None = None
    repost_every_s: float = Field(default=60, gt=0)


class Alertmanager:
    """Tells all peers of a cluster; delivered is what one of them took."""

    def __init__(self, settings: AlertmanagerSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._poster = Poster(timeout_s=settings.timeout_s, secrets=settings.secrets())
        token = settings.token.get_secret_value() if settings.token else ""
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    @property
    def repost_every_s(self) -> float:
        """As configured."""
        return self._settings.repost_every_s

    def send(self, notice: Notice, reference: Reference) -> Reference:
        """Tell the peers. Raises DeliveryError if none took it. The reference is the
        severity that was told."""
        now, severity = self._clock(), notice.alert.severity
        told = [self._alert(notice, now)]
        before = reference.get("severity", severity)
        if before != severity:
            told.append(_ended(told[0], before, now))
        self._tell(told)
        return {"severity": severity}

    def repost(self, alerts: Sequence[Alert]) -> None:
        """Tell the peers that they still fire. Raises DeliveryError if none took it."""
        now = self._clock()
        told = [self._alert(_trigger(alert), now) for alert in alerts]
        for start in range(0, len(told), _BATCH):
            self._tell(told[start : start + _BATCH])

    def close(self) -> None:
        """Close its connections."""
        self._poster.close()

    def _alert(self, notice: Notice, now: datetime) -> dict[str, Any]:
        """A postableAlert of Alertmanager's openapi.yaml."""
        alert = notice.alert
        forgotten_at = now + timedelta(seconds=_MISSED * self.repost_every_s)
        ends_at = alert.resolved_at or alert.at
        told = {
            "labels": labels_of(alert),
            "annotations": annotations_of(notice),
            "startsAt": alert.since.isoformat(),
            "endsAt": (
                ends_at if alert.state == "resolved" else forgotten_at
            ).isoformat(),
        }
        return told | ({"generatorURL": alert.url} if alert.url else {})

    def _tell(self, alerts: list[dict[str, Any]]) -> None:
        body, failures = as_json(alerts), []
        for url in self._settings.urls:
            try:
                address = f"{url.rstrip('/')}/api/v2/alerts"
                self._poster.post(address, body, headers=self._headers)
            except DeliveryError as error:
                failures.append(error)
        if len(failures) == len(self._settings.urls):
            raise max(failures, key=lambda error: error.retryable)


def _ended(told: dict[str, Any], severity: str, now: datetime) -> dict[str, Any]:
    """The same alert under the severity that it no longer has, over as of now."""
    labels = told["labels"] | {"severity": severity}
    return told | {"labels": labels, "endsAt": now.isoformat()}


def _trigger(alert: Alert) -> Notice:
    return Notice(alert=alert, channel="", kind="trigger", next_try=alert.at)


CHANNEL = ChannelType(
    settings=AlertmanagerSettings, open=Alertmanager, rate=Rate(50, burst=100)
)
