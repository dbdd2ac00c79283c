"""Any receiver of JSON: the body of Alertmanager's webhook, signed.

The body is Alertmanager's version 4 (prometheus.io/docs/alerting/latest/configuration,
webhook_config), so that its receivers work, with all that an alert says under
`farthing`. With a secret it is signed by Standard Webhooks (standardwebhooks.com):
`webhook-id`, `webhook-timestamp` and `webhook-signature`, for which there are libraries
in most languages. The id stays the same when a notice is sent again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Annotated, Any

from pydantic import AfterValidator, SecretStr

from farthing.alerts.alert import Notice
from farthing.alerts.channel import (
    SECRET_URL,
    ChannelSettings,
    ChannelType,
    Clock,
    Rate,
    Reference,
)
from farthing.alerts.message_prometheus import annotations_of, labels_of
from farthing.alerts.post import Poster, as_json
from farthing.alerts.secret import Secret

_PREFIX = "whsec_"
_NEVER = "0001-01-01T00:00:00Z"
"""Alertmanager's endsAt of what still fires."""


def _is_key(value: SecretStr) -> SecretStr:
    _key(value)
    return value


class WebhookSettings(ChannelSettings):
    """`url` may hold a token and is treated as a secret; `secret` signs: `whsec_` and
    base64, or any text."""

    url: Annotated[Secret, SECRET_URL]
    secret: Annotated[Secret, AfterValidator(_is_key)] | None = None


class Webhook:
    """Posts to one address."""

    def __init__(self, settings: WebhookSettings, clock: Clock) -> None:
        self._url = settings.url.get_secret_value()
        self._key = _key(settings.secret) if settings.secret else None
        self._clock = clock
        self._poster = Poster(timeout_s=settings.timeout_s, secrets=settings.secrets())

    def send(self, notice: Notice, reference: Reference) -> Reference:  # noqa: ARG002
        """Post it. Raises DeliveryError."""
        body = as_json(body_of(notice))
        sent_at_s = str(int(self._clock().timestamp()))
        headers = {
            "Idempotency-Key": notice.key,
            "webhook-id": notice.key,
            "webhook-timestamp": sent_at_s,
        }
        if self._key:
            signed = f"{notice.key}.{sent_at_s}.".encode() + body
            headers["webhook-signature"] = signature(self._key, signed)
        self._poster.post(self._url, body, headers=headers)
        return {}

    def close(self) -> None:
        """Close its connection."""
        self._poster.close()


def signature(key: bytes, signed: bytes) -> str:
    """`v1,` and base64 of HMAC-SHA256."""
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def body_of(notice: Notice) -> dict[str, Any]:
    """What is posted: a group of one alert."""
    alert = notice.alert
    status = "resolved" if alert.state == "resolved" else "firing"
    labels, annotations = labels_of(alert), annotations_of(notice)
    ended = alert.resolved_at.isoformat() if alert.resolved_at else _NEVER
    told = {
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": alert.since.isoformat(),
        "endsAt": ended,
        "generatorURL": alert.url,
        "fingerprint": alert.id,
    }
    return {
        "version": "4",
        "groupKey": alert.id,
        "truncatedAlerts": 0,
        "status": status,
        "receiver": notice.channel,
        "groupLabels": {"alertname": alert.rule},
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": alert.url,
        "alerts": [told],
        "farthing": {"kind": notice.kind, "alert": alert.to_json()},
    }


def _key(secret: SecretStr) -> bytes:
    text = secret.get_secret_value()
    if not text.startswith(_PREFIX):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("what follows whsec_ is not base64") from None


CHANNEL = ChannelType(settings=WebhookSettings, open=Webhook, rate=Rate(20, burst=50))
