"""Commands beside a collector that speaks TLS, which they ask by address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import self_signed
from tests.cli.conftest import CAPTURES
from tests.cli.farthing_process import Up, answer, farthing, up

TOKEN = {"FARTHING_TOKEN": "for-the-tests"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Settings with a certificate for the name by which agents ask the collector."""
    tls = self_signed(tmp_path_factory.mktemp("tls"), "collector.example")
    return {"FARTHING_TLS_CERT": str(tls.certificate), "FARTHING_TLS_KEY": str(tls.key)}


@pytest.fixture(scope="module")
def secured(
    tmp_path_factory: pytest.TempPathFactory, certificate: dict[str, str]
) -> Iterator[Up]:
    """A collector with that certificate, and a token."""
    data_dir = tmp_path_factory.mktemp("secured") / "data"
    with up(data_dir, env={**certificate, **TOKEN}) as found:
        yield found


def test_commands_trust_the_collectors_certificate(
    secured: Up, certificate: dict[str, str]
) -> None:
    """With the collector's settings a command asks it, though nobody signed its
    certificate and the certificate does not name the loopback."""
    env = {**certificate, **TOKEN}
    where = ("--data", secured.data_dir)
    assert secured.running.http_url.startswith("https://")
    sent = answer("replay", CAPTURES["official-langchain"], *where, env=env)
    assert sent["spans"] == 6
    told = answer("report", "--since", "2026-01-01", *where, env=env)
    assert told["total"]["calls"] == 3
    checks = answer("doctor", *where, env=env)["checks"]
    assert not [check for check in checks if check["status"] == "problem"]


def test_who_lacks_its_settings_is_told_which(secured: Up, tmp_path: Path) -> None:
    """A command without the certificate, or with another one, says what to set; so does
    the doctor, who does not advise to restart what runs well."""
    for env in (TOKEN, _another(tmp_path)):
        ended = farthing("report", "--data", secured.data_dir, env=env)
        assert ended.returncode == 2
        assert ended.stderr.count("\n") == 1
        assert "is not trusted: set FARTHING_TLS_CERT" in ended.stderr
    shown = farthing("doctor", "--data", secured.data_dir, env=TOKEN).stdout
    assert shown.count("-> set FARTHING_TLS_CERT") == 3
    assert "restart" not in shown


def test_doctor_without_the_token_says_so(
    secured: Up, certificate: dict[str, str]
) -> None:
    """What the doctor may not read for want of the token, it asks the token for."""
    shown = farthing("doctor", "--data", secured.data_dir, env=certificate).stdout
    assert shown.count("-> set FARTHING_TOKEN") == 2


def _another(folder: Path) -> dict[str, str]:
    tls = self_signed(folder, "collector.example")
    own = {"FARTHING_TLS_CERT": str(tls.certificate), "FARTHING_TLS_KEY": str(tls.key)}
    return {**own, **TOKEN}
