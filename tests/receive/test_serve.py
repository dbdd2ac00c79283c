"""Starting and stopping both transports, and what an operator may set."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from farthing.collector.receive.serve import serve
from farthing.collector.receive.settings import (
    Limits,
    ReceiveSettings,
    Tls,
    check_binding,
)
from farthing.errors import ConfigError
from tests.receive.running import TRACES_PROTOBUF, ListSpool, captured, running


async def start(settings: ReceiveSettings) -> None:
    async with serve(
        settings,
        ListSpool(),
        registry=CollectorRegistry(),
        why_not_ready=lambda: None,
    ):
        pass


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost"]
)
def test_loopback_needs_no_token(host: str) -> None:
    """This machine may write without a token."""
    check_binding(host, None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "collector.lan", ""])
def test_beyond_loopback(host: str) -> None:
    """Anything else needs a token, and the refusal says how to get one."""
    check_binding(host, "s3cret")
    with pytest.raises(ConfigError, match="set FARTHING_TOKEN"):
        check_binding(host, None)
    with pytest.raises(ConfigError, match="without a token"):
        ReceiveSettings(http_host=host)
    with pytest.raises(ConfigError, match="without a token"):
        ReceiveSettings(grpc_host=host)


def test_empty_token() -> None:
    """An empty token is a mistake, not a token."""
    with pytest.raises(ConfigError, match="token is empty"):
        check_binding("0.0.0.0", " ")


def test_limits_that_contradict() -> None:
    """Limits under which nothing large could ever arrive are refused."""
    with pytest.raises(ConfigError, match="max_in_flight_bytes"):
        Limits(max_bytes=2, max_in_flight_bytes=1)


@pytest.mark.parametrize("option", ["http_port", "grpc_port"])
async def test_port_taken(option: str) -> None:
    """A taken port is named, with the option to change."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = {"http_port": 0, "grpc_port": 0, option: port}
        with pytest.raises(ConfigError) as error:
            await start(ReceiveSettings(**ports))
    assert f"127.0.0.1:{port}" in str(error.value)
    assert f"set {option} to another port" in str(error.value)


async def test_two_receivers_do_not_share_a_port() -> None:
    """A second receiver on the same gRPC port fails instead of taking half."""
    with (
        running() as first,
        pytest.raises(ConfigError, match="grpc_port"),
    ):
        await start(ReceiveSettings(http_port=0, grpc_port=first.endpoints.grpc_port))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "[::1]"])
def test_loopback_addresses(host: str) -> None:
    """Each way to write loopback can be listened on; "localhost" means IPv4."""
    if ":" in host and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    settings = ReceiveSettings(http_host=host, http_port=0, grpc_host=host, grpc_port=0)
    address = "::1" if ":" in host else "127.0.0.1"
    with running(settings) as receiver:
        for port in (receiver.endpoints.http_port, receiver.endpoints.grpc_port):
            socket.create_connection((address, port), timeout=10).close()


async def test_host_unknown() -> None:
    """An address that is not this machine's is refused with its name."""
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1.*has no such address"):
        await start(ReceiveSettings(http_host="192.0.2.1", http_port=0, token="t"))


async def test_certificate_missing_or_wrong(tmp_path: Path) -> None:
    """A certificate that is not there, or is none, is refused at the start."""
    with pytest.raises(ConfigError, match=r"no file .*missing\.pem"):
        Tls(tmp_path / "missing.pem", tmp_path / "missing.pem")
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("no certificate")
    settings = ReceiveSettings(http_port=0, grpc_port=0, tls=Tls(garbage, garbage))
    with pytest.raises(ConfigError, match="do not load"):
        await start(settings)


def test_stop_finishes_what_is_in_flight() -> None:
    """A request that waits in the spool while the receiver stops is answered."""
    body = captured("official-openai")[0]
    with running() as receiver, receiver.blocked() as request:
        request.post(body, TRACES_PROTOBUF)
        receiver.begin_stop()
        assert request.release().status == 200
        assert receiver.spool.requests == [body]


async def test_signals_and_logging_are_left_alone() -> None:
    """The program's signal handlers and log settings are not touched."""
    handlers = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    root = (logging.root.level, list(logging.root.handlers))
    settings = ReceiveSettings(http_port=0, grpc_port=0)
    async with serve(
        settings,
        ListSpool(),
        registry=CollectorRegistry(),
        why_not_ready=lambda: None,
    ) as endpoints:
        assert endpoints.http_port != endpoints.grpc_port
        assert handlers == [
            signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)
        ]
        assert root == (logging.root.level, list(logging.root.handlers))
        await asyncio.sleep(0)


async def test_ports_are_free_after_the_end() -> None:
    """What was bound can be bound again at once."""
    with running() as receiver:
        endpoints = receiver.endpoints
    await start(
        ReceiveSettings(http_port=endpoints.http_port, grpc_port=endpoints.grpc_port)
    )
