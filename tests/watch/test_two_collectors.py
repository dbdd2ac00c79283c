"""Two collectors on one ClickHouse server."""

from __future__ import annotations

import time
from pathlib import Path

from tests.clickhouse_server import clickhouse_server
from tests.watch.test_kill import SPANS, TIMEOUT_S, post, running, settled


def test_two_collectors_find_what_one_does(tmp_path: Path) -> None:
    """Of runs whose spans go to two collectors by turns, the findings are those of one
    that had all: none is missing, none is there twice."""
    with running(tmp_path / "alone") as alone:
        post(alone, SPANS)
        expected = settled(alone)
    assert len(expected) == 4

    with clickhouse_server(tmp_path / "server", writable=True) as server:
        of_server = {"FARTHING_STORE": f"clickhouse://127.0.0.1:{server.port}/default"}
        with (
            running(tmp_path / "one", of_server, server.port) as one,
            running(tmp_path / "other", of_server, server.port) as other,
        ):
            for first in range(0, len(SPANS), 4):
                post(other if first % 8 else one, SPANS[first : first + 4])
            deadline_s = time.monotonic() + TIMEOUT_S
            while time.monotonic() < deadline_s and settled(other) != expected:
                time.sleep(0.1)  # They look again once nothing comes any more.
            assert settled(one) == settled(other) == expected
