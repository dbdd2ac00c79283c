"""Channels of a configuration: secrets by their place, errors that say what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from farthing import plugins
from farthing.alerts.channel import FAMILY, ChannelType, Opened, open_channels
from farthing.alerts.secret import redact
from farthing.errors import ConfigError

HOOK_URL = "https://hooks.slack.com/services/T/B/sesame"
ENVIRON = {"URL": HOOK_URL, "KEY": "sesame", "NO": ""}
ADDRESS = "https://h.example/in/s3same?k=open12"
HOOK: dict[str, Any] = {"type": "slack_webhook", "url": {"env": "URL"}}


def channels(**told: dict[str, Any]) -> dict[str, Opened]:
    return open_channels(told, environ=ENVIRON)


def test_a_channel_is_a_type_and_its_settings(tmp_path: Path) -> None:
    """Secrets come from variables and files, whose last line end does not count."""
    file = tmp_path / "key"
    file.write_text("sesame\n")
    opened = channels(
        slack={**HOOK, "fallback": "pager", "fallback_after_s": 60},
        pager={"type": "pagerduty", "routing_key": {"file": str(file)}},
    )
    assert opened["slack"].fallback == "pager"
    assert opened["slack"].fallback_after_s == 60
    assert vars(opened["pager"].channel)["_routing_key"] == "sesame"


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"type": "slack"}, "there is no 'slack' in farthing.alerts.channels"),
        ({}, "channel 'c' has no type"),
        ({"type": "slack_webhook"}, "url: it must be there"),
        (HOOK | {"url": "https://hooks.slack.com/sesame"}, "say where it is, as in"),
        (HOOK | {"url": {"env": "ELSEWHERE"}}, "the variable ELSEWHERE is not set"),
        (HOOK | {"url": {"env": "NO"}}, "the variable NO is not set or empty"),
        (HOOK | {"url": {"env": "KEY"}}, "url: not an address"),
        (HOOK | {"url": {"file": "/no/such"}}, "/no/such cannot be read: No such file"),
        (HOOK | {"colour": "red"}, "colour: there is no such setting"),
        (HOOK | {"fallback": "d"}, "falls back on 'd', which is none of c"),
        (HOOK | {"fallback": "c"}, "a fallback is another channel"),
        ({"type": "alertmanager", "urls": []}, "urls: Tuple should have at least 1"),
        ({"type": "alertmanager", "urls": ["am:9093"]}, "urls.0: not an address"),
        (
            {"type": "webhook", "url": {"env": "URL"}, "secret": {"env": "BAD"}},
            "what follows whsec_ is not base64",
        ),
    ],
)
def test_what_is_wrong_is_named_and_secrets_are_not(
    told: dict[str, Any], says: str
) -> None:
    """The message names the channel's setting and what to do."""
    with pytest.raises(ConfigError) as caught:
        open_channels({"c": told}, environ=ENVIRON | {"BAD": "whsec_sesame!"})
    assert says in str(caught.value)
    assert "sesame" not in str(caught.value)


def test_settings_do_not_show_secrets() -> None:
    """Neither as text nor as what a debugger or a log would print."""
    kind = plugins.load(FAMILY, "slack_webhook", "CHANNEL")
    assert isinstance(kind, ChannelType)
    settings = kind.settings.model_validate(HOOK, context={"environ": ENVIRON})
    assert "sesame" not in f"{settings!r} {settings} {settings.model_dump_json()}"
    assert settings.secrets() == [HOOK_URL]


@pytest.mark.parametrize("name", plugins.names(FAMILY))
def test_every_file_of_the_folder_is_a_channel(name: str) -> None:
    """It has a CHANNEL, whose settings refuse what they do not know."""
    kind = plugins.load(FAMILY, name, "CHANNEL")
    assert isinstance(kind, ChannelType)
    assert kind.settings.model_config["extra"] == "forbid"
    assert kind.rate.per_s > 0
    assert kind.rate.burst >= 1


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("POST https://h.example/in/s3same?k=open12 failed", ADDRESS),
        ("url: /in/s3same?k=open12 refused", ADDRESS),
        ("for alibaba:s3same@h.example", "https://alibaba:s3same@h.example/x"),
        ("Bearer s3same", "s3same"),
    ],
)
def test_parts_of_an_address_are_secret_too(text: str, secret: str) -> None:
    """Errors quote addresses whole, without their host, or their password alone."""
    shown = redact(text, [secret])
    assert "s3same" not in shown
    assert "open12" not in shown
