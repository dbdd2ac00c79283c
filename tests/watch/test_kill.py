"""What is found survives `kill -9`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from urllib.request import Request, urlopen

from benchmarks.process import Collector
from tests.watch.spans import SAME, Told, read, request, run_of, tools_in_calls

STUCK = [read(0), read(1), *[SAME] * 9, *map(read, range(2, 8)), *[SAME] * 5]
SPANS = sorted(
    [
        *run_of("stuck", STUCK),
        *tools_in_calls("through calls", STUCK),
        *run_of("well", map(read, range(20))),
    ],
    key=lambda told: told.end_s,
)
FINDINGS = (
    "SELECT * EXCEPT (version, written_at) FROM findings FINAL"
    " WHERE level != 'withdrawn' ORDER BY run_id, agent, kind, episode"
)
TIMEOUT_S = 60.0


def test_a_killed_collector_finds_what_an_undisturbed_one_does(tmp_path: Path) -> None:
    """A collector that is killed twice in the middle of runs that loop, with spans that
    were acknowledged a moment ago and a finding that goes on, ends with the findings of
    one that was left alone."""
    with running(tmp_path / "undisturbed") as undisturbed:
        post(undisturbed, SPANS)
        expected = settled(undisturbed)
    assert [row[0] for row in expected] == [*["stuck"] * 2, *["through calls"] * 2]

    chance = Random(5)
    third = len(SPANS) // 3
    with running(tmp_path / "killed") as killed:
        for part in (SPANS[:third], SPANS[third : 2 * third]):
            post(killed, part[:-6])
            assert settled(killed), "killed before anything was found"
            post(killed, part[-6:])
            time.sleep(chance.uniform(0, 0.8))  # Before, while or after it is watched.
            killed.kill()
            killed.start()
        post(killed, SPANS[2 * third :])
        assert settled(killed) == expected


@contextmanager
def running(
    folder: Path,
    environment: Mapping[str, str] | None = None,
    ledger_port: int | None = None,
) -> Iterator[Collector]:
    """A collector; its ledger is on a server where the environment says so."""
    folder.mkdir()
    collector = Collector(
        folder / "data", environment=environment, ledger_port=ledger_port
    )
    collector.start()
    try:
        yield collector
    finally:
        collector.kill()


def post(collector: Collector, spans: list[Told]) -> None:
    """Send spans as requests of four; each is acknowledged."""
    url = f"http://127.0.0.1:{collector.ports.http}/v1/traces"
    kind = {"content-type": "application/x-protobuf"}
    for first in range(0, len(spans), 4):
        body = request(spans[first : first + 4])
        with urlopen(Request(url, body, kind), timeout=TIMEOUT_S) as answer:
            assert answer.status == 200


def settled(collector: Collector) -> list[list[str]]:
    """The findings, once all that was acknowledged has been watched."""
    deadline_s = time.monotonic() + TIMEOUT_S
    for waiting in ("farthing_spool_requests", "farthing_watch_waiting_batches"):
        while collector.metric(waiting):
            assert time.monotonic() < deadline_s, f"{waiting} stays above 0"
            time.sleep(0.05)
    return collector.query(FINDINGS)
