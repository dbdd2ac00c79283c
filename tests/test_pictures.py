"""What a run has cost, as a picture for its alert."""

from __future__ import annotations

import struct
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from farthing.collector.pictures import RunPictures, drawn
from farthing.collector.store.client import Address, Store
from farthing.collector.store.ledger import Ledger
from farthing.errors import DeliveryError, Reason
from tests.alerts.delivery.notices import alert
from tests.alerts.ledger import add, call, own_ledger

ROWS: list[dict[str, Any]] = [
    {"turn": 1, "cost_usd": Decimal("0.25")},
    {"turn": 2, "cost_usd": None},
]


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height by its header; fails for anything but a PNG."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_a_run_is_drawn_from_the_ledger(shared_ledger: Ledger) -> None:
    """One picture of its calls; a run that has none has no picture."""
    with own_ledger(shared_ledger.store, "pictures") as store:
        add(store, [call("run-17", "0.25", ago=timedelta(minutes=5))])
        draw = RunPictures(store)
        png = draw(alert("run-17"))
        assert png is not None
        assert size_of(png) > (640, 220)
        assert draw(alert("run-18")) is None


def test_an_unknown_cost_is_no_obstacle() -> None:
    """It has no bar."""
    png = drawn(ROWS)
    assert png is not None
    assert len(png) < 100_000
    size_of(png)


def test_a_drawing_that_takes_too_long_is_ended() -> None:
    """And tried again later, as a message is."""
    with pytest.raises(DeliveryError) as caught:
        drawn(ROWS, timeout_s=0.001)
    assert caught.value.reason is Reason.TIMEOUT


def test_a_store_that_is_away_is_waited_for() -> None:
    """The same."""
    away = Store(Address(host="127.0.0.1", port=9))
    with pytest.raises(DeliveryError) as caught:
        RunPictures(away)(alert("run-17"))
    assert caught.value.retryable
    away.close()


def test_what_cannot_be_drawn_is_told_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The alert goes without, rather than being tried for ever."""
    assert drawn([{"nonsense": 1}]) is None
    assert "no picture" in caplog.text
