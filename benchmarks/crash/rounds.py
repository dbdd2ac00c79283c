"""Rounds of a scene under load; after each, the books must balance.

Requests are sent again until they are acknowledged, as exporters do. So when the spool
is empty the ledger must hold every span exactly once: a row that is missing was
acknowledged and lost, a row too many was counted twice; and the roll-ups must add up
to the same.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.crash.scenes import Scene
from benchmarks.crash.sender import Acknowledged
from benchmarks.process import Collector

_TIMEOUT_S = 600.0  # for all that waits after a minute without a store

_SPANS = """
SELECT count(), uniqExact(span_id), sum(calls),
    sum(input_tokens + cache_read_tokens + cache_write_5m_tokens)
FROM spans WHERE task_type = '{}'
"""
_ROLL_UPS = (
    """
SELECT sum(spans), sum(calls),
    sum(input_tokens + cache_read_tokens + cache_write_5m_tokens)
FROM runs WHERE task_type = '{}'
""",
    """
SELECT {spans}, sum(calls),
    sum(input_tokens + cache_read_tokens + cache_write_5m_tokens)
FROM spend_hourly WHERE task_type = '{}'
""",
)


@dataclass(frozen=True)
class Sums:
    """Spans, model calls and prompt tokens, as one table has them."""

    spans: int
    calls: int
    prompt_tokens: int


@dataclass(frozen=True)
class Round:
    """What was acknowledged in one round, and what the tables hold of it."""

    number: int
    sent: Acknowledged
    rows: int
    unique: int
    ledger: Sums
    runs: Sums
    hours: Sums

    @property
    def acknowledged(self) -> int:
        """Spans that the sender was told are safe."""
        return self.sent.spans

    @property
    def lost(self) -> int:
        """Acknowledged spans that no row tells of."""
        return self.acknowledged - self.unique

    @property
    def doubled(self) -> int:
        """Rows that tell of a span for a second time."""
        return self.rows - self.unique

    @property
    def rolled_up(self) -> bool:
        """Whether ledger and both roll-ups add up to what was sent."""
        sent = Sums(self.sent.spans, self.sent.calls, self.sent.prompt_tokens)
        return sent == self.ledger == self.runs == self.hours

    @property
    def balances(self) -> bool:
        """Nothing lost, nothing twice, all sums equal."""
        return not self.lost and not self.doubled and self.rolled_up


def rounds(
    n: int,
    scene: Scene,
    *,
    seed: int = 1,
    progress: Callable[[str], None] | None = None,
) -> list[Round]:
    """Play a scene `n` times under load, on one data folder."""
    chance = random.Random(seed)
    done = []
    for number in range(n):
        with _sending(scene.collector.ports.http, number) as sender:
            note = scene.trouble(chance)
            sender.send_signal(signal.SIGTERM)
            output, _ = sender.communicate(timeout=_TIMEOUT_S)
        sent = Acknowledged(**json.loads(output))
        _wait_until_loaded(scene.collector)
        done.append(_count(scene.collector, number, sent))
        if progress is not None:
            progress(_line(done[-1], note))
    return done


@contextmanager
def _sending(port: int, number: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "benchmarks.crash.sender"]
    options = json.dumps({"port": port, "round": number})
    with subprocess.Popen(
        [*command, options], stdout=subprocess.PIPE, text=True
    ) as sender:
        try:
            assert sender.stdout is not None
            sender.stdout.readline()
            yield sender
        finally:
            sender.kill()


def _wait_until_loaded(collector: Collector) -> None:
    """Until no acknowledged request waits in the spool."""
    deadline_s = time.monotonic() + _TIMEOUT_S
    while waiting := collector.metric("farthing_spool_requests"):
        if time.monotonic() > deadline_s:
            raise RuntimeError(f"{waiting:g} requests still wait in the spool")
        time.sleep(0.05)


def _count(collector: Collector, number: int, sent: Acknowledged) -> Round:
    task_type = f"crash-{number}"
    [[rows, unique, calls, tokens]] = collector.query(_SPANS.format(task_type))
    runs, hours = (
        Sums(*map(int, collector.query(sql.format(task_type, spans=rows))[0]))
        for sql in _ROLL_UPS
    )
    return Round(
        number=number,
        sent=sent,
        rows=int(rows),
        unique=int(unique),
        ledger=Sums(int(rows), int(calls), int(tokens)),
        runs=runs,
        hours=hours,
    )


def _line(one: Round, note: str) -> str:
    state = "balances" if one.balances else "DOES NOT BALANCE"
    seen = f"; {note}" if note else ""
    return (
        f"{one.number + 1}: {one.acknowledged:,} spans acknowledged,"
        f" {one.sent.resent} requests sent again, {one.sent.refused} of them refused"
        f" before{seen}; {state}"
    )
