"""One receiver for the tests that leave its settings alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farthing.collector.receive.settings import Limits, ReceiveSettings, Tls
from tests.certificates import self_signed
from tests.receive.running import KIB, Running, running


@pytest.fixture(scope="session")
def _shared() -> Iterator[Running]:
    with running() as receiver:
        yield receiver


@pytest.fixture
def receiver(_shared: Running) -> Running:
    """The shared receiver, its spool empty and willing."""
    _shared.spool.requests.clear()
    _shared.spool.refusals.clear()
    _shared.not_ready.clear()
    return _shared


@pytest.fixture(scope="session")
def _narrow() -> Iterator[Running]:
    limits = Limits(
        max_bytes=64 * KIB,
        max_compressed_bytes=8 * KIB,
        max_header_bytes=8 * KIB,
        max_in_flight_bytes=64 * KIB,
    )
    settings = ReceiveSettings(http_port=0, grpc_port=0, token="s3cret", limits=limits)
    with running(settings) as receiver:
        yield receiver


@pytest.fixture
def strict(_narrow: Running) -> Running:
    """A receiver with a token and narrow limits, its spool empty."""
    _narrow.spool.requests.clear()
    return _narrow


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """A certificate for localhost that signs itself."""
    return self_signed(tmp_path_factory.mktemp("tls"), "localhost")
