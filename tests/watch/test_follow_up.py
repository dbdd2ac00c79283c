"""What follows a load."""

from __future__ import annotations

import pytest

from farthing.collector.parts import followed_up
from farthing.collector.store.client import Away, Refused
from tests.watch.conftest import Watched


def follow_up(watched: Watched, error: Exception) -> list[str]:
    """Follow up where the watch fails; the batches that were settled."""
    settled: list[str] = []

    def watch(_: str) -> None:
        raise error

    followed_up(watched.ledger, settle=settled.append, watch=watch)("batch")
    return settled


@pytest.mark.parametrize("error", [KeyError("span"), Refused("too large", 62)])
def test_a_watch_that_fails_holds_nothing_up(
    watched: Watched, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """The batch is loaded and settled, and the log says what was not judged."""
    assert follow_up(watched, error) == ["batch"]
    assert "batch batch cannot be watched" in caplog.text


def test_a_store_that_is_away_is_asked_again(watched: Watched) -> None:
    """What fails for want of the store is for the loader to repeat."""
    with pytest.raises(Away):
        follow_up(watched, Away("away"))
