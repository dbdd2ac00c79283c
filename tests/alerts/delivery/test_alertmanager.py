"""The real Alertmanager, as Debian packages it; `.ci/run` installs it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from farthing.alerts.alert import Notice
from farthing.alerts.channel import Reposting
from farthing.collector.demo.pagers import Loopback, Reply, Request
from farthing.errors import DeliveryError
from tests.alerts.delivery.conftest import Open
from tests.alerts.delivery.notices import FakeClock, alert, notice

BINARY = shutil.which("prometheus-alertmanager")
pytestmark = pytest.mark.skipif(
    BINARY is None, reason="apt-get install prometheus-alertmanager brings it"
)
CONFIG = """
route: {{receiver: hook, group_by: [alertname, farthing_alert], group_wait: 0s,
         group_interval: 1s, repeat_interval: 4h}}
receivers:
  - {{name: hook, webhook_configs: [{{url: '{url}/hook', send_resolved: true}}]}}
"""


@dataclass
class Receiver:
    """What Alertmanager tells: a webhook's bodies."""

    told: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, request: Request) -> Reply:
        self.told.extend(request.json()["alerts"])
        return Reply(200)

    def statuses(self, name: str) -> list[str]:
        return [one["status"] for one in self.told if one["labels"]["subject"] == name]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Loopback]:
    with Loopback(Receiver()) as loopback:
        yield loopback


@pytest.fixture(scope="module")
def alertmanager(
    receiver: Loopback, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of one that is ready."""
    assert BINARY is not None
    folder = tmp_path_factory.mktemp("alertmanager")
    (folder / "config.yml").write_text(CONFIG.format(url=receiver.url))
    address = f"127.0.0.1:{_free_port()}"
    command = [
        BINARY,
        f"--config.file={folder / 'config.yml'}",
        f"--storage.path={folder}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _until(lambda: _is_ready(address), (folder / "log").read_text)
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait()


@pytest.fixture
def clock() -> FakeClock:
    """Alertmanager's own is the system's."""
    return FakeClock(datetime.now(UTC))


def test_an_alert_arrives_and_is_resolved(
    open_channel: Open, alertmanager: str, receiver: Loopback
) -> None:
    """It fires with labels to route by and texts to read, and ends when it ended."""
    channel = open_channel("alertmanager", urls=[alertmanager]).channel
    reference = channel.send(fresh("arrives"), {})
    first = next(
        a for a in _listed(alertmanager) if a["labels"]["subject"] == "arrives"
    )
    assert first["labels"]["alertname"] == "run-cost"
    assert first["labels"]["team"] == "growth"
    assert first["annotations"]["owner"] == "@growth-oncall"
    _until(lambda: _statuses(receiver, "arrives") == ["firing"])
    channel.send(fresh("arrives", "resolve"), reference)
    _until(lambda: _statuses(receiver, "arrives") == ["firing", "resolved"])
    assert "arrives" not in _firing(alertmanager)


def test_it_fires_for_as_long_as_it_is_told_again(
    open_channel: Open, alertmanager: str, clock: FakeClock
) -> None:
    """What is told says until when it holds, four times as late as it is told again:
    an alert does not end because one telling was missed, nor fire for ever when
    Farthing is gone."""
    channel = open_channel(
        "alertmanager", urls=[alertmanager], repost_every_s=30
    ).channel
    assert isinstance(channel, Reposting)
    channel.send(fresh("again"), {})
    clock.move(60)
    channel.repost([fresh("again").alert])
    [listed] = [a for a in _listed(alertmanager) if a["labels"]["subject"] == "again"]
    ends_at = datetime.fromisoformat(listed["endsAt"])
    assert abs(ends_at - (clock.now + timedelta(seconds=120))) < timedelta(seconds=1)


def test_an_escalation_ends_what_it_was_before(
    open_channel: Open, alertmanager: str
) -> None:
    """Severity is a label, by which people route, and labels are the identity: of the
    two only the newer fires."""
    channel = open_channel("alertmanager", urls=[alertmanager]).channel
    first = fresh("worse")
    reference = channel.send(first, {})
    worse = replace(first.alert, severity="critical", sequence=2)
    channel.send(notice("update", of=worse), reference)
    firing = [a for a in _listed(alertmanager) if a["labels"]["subject"] == "worse"]
    assert [a["labels"]["severity"] for a in firing] == ["critical"]


def test_one_peer_of_a_cluster_is_enough(open_channel: Open, alertmanager: str) -> None:
    """A peer that is down does not keep the alert from the other, and all down is a
    failure that passes."""
    dead = f"http://127.0.0.1:{_free_port()}"
    channel = open_channel("alertmanager", urls=[dead, alertmanager]).channel
    channel.send(fresh("peers"), {})
    assert "peers" in _firing(alertmanager)
    alone = open_channel("alertmanager", urls=[dead]).channel
    with pytest.raises(DeliveryError) as caught:
        alone.send(fresh("nobody"), {})
    assert caught.value.retryable


def fresh(subject: str, kind: Any = "trigger") -> Notice:
    """A notice of just now: Alertmanager goes by the real time."""
    at = datetime.now(UTC)
    return notice(kind, of=alert(subject, at=at, since=at - timedelta(minutes=5)))


def _statuses(receiver: Loopback, name: str) -> list[str]:
    assert isinstance(receiver.provider, Receiver)
    return receiver.provider.statuses(name)


def _listed(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/api/v2/alerts") as answer:
        listed: list[dict[str, Any]] = json.load(answer)
    return listed


def _firing(url: str) -> set[str]:
    return {one["labels"]["subject"] for one in _listed(url)}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/-/ready"):
            return True
    except OSError:
        return False


def _until(holds: Callable[[], bool], told: Callable[[], str] = str) -> None:
    """Wait for what another process does; after a minute it never will."""
    deadline_s = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline_s, told()
        time.sleep(0.02)
