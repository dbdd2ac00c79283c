"""What watching adds to the CPU of loading."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from benchmarks.blocks import Blocks, Requests
from benchmarks.loops.spans import copied, interleaved, request
from farthing.collector.parts import collect_garbage_rarely
from farthing.collector.settle import Settler
from farthing.collector.store.client import Address, Store
from farthing.collector.store.ledger import Ledger
from farthing.collector.watch.labelled import LabelledRun, read_runs
from farthing.collector.watch.watcher import Watcher
from farthing.economics.prices import load_catalogue

DATA: Final = Path(__file__).parent / "data"
_REQUEST_SPANS: Final = 512
_BATCHES: Final = 6
_LARGE, _MIDDLE, _SMALL = 75, 15, 2  # requests a batch
_COPIES: Final = 5
_OF_LARGE: Final = 3
_BEFORE: Final = 16
"""Large batches that a ledger has which is not new: 614,400 spans."""
_NATURAL: Final = 38
"""Runs that loop beside 2,304 that do not: 1.6 %, as in the files where nothing was
injected."""
Batch = Sequence[bytes]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Cost:
    """CPU seconds of this process, all threads, to load and settle spans and to watch
    them, with the look that follows where no batch waits; `found` of the `runs` have a
    finding."""

    name: str
    spans: int
    batch_spans: int
    runs: int
    found: int
    load_s: float
    watch_s: float

    @property
    def share(self) -> float:
        """What watching adds to loading."""
        return self.watch_s / self.load_s


def costs(engine: Path) -> Iterator[Cost]:
    """Runs that repeat nothing; those with as many that loop among them as there are by
    nature; real runs, of which one in six has a finding, in batches of two sizes, and
    in a ledger that has others already; and only those that loop, also in batches so
    small that each brings about one span of each run."""
    real = [run for path in sorted(DATA.glob("*.gz")) for run in read_runs(path)]
    looping = list(copied((run for run in real if run.label == "loop"), _COPIES))
    yield _cost(engine, "runs that repeat nothing", _healthy())
    yield _cost(engine, "the natural rate", _natural(looping))
    once = list(_batches(copied(real, 1), size=_MIDDLE))
    yield _cost(engine, "real runs", once)
    yield _cost(engine, "real runs in a large ledger", once, before=_BEFORE)
    thrice = _batches(copied(real, _OF_LARGE), size=_LARGE)
    yield _cost(engine, "real runs in large batches", thrice)
    yield _cost(engine, "runs that loop", _batches(looping, size=_MIDDLE))
    yield _cost(engine, "the same span by span", _batches(looping, size=_SMALL))


def _healthy(batches: int = _BATCHES, *, stream: int = 0) -> Iterator[Batch]:
    source = Requests(Blocks(stream=stream), spans=_REQUEST_SPANS)
    for _ in range(batches):
        yield [source.next() for _ in range(_LARGE)]


def _natural(looping: Sequence[LabelledRun]) -> Iterator[Batch]:
    """The same, with a few runs that loop among them."""
    few = _requests(looping[:_NATURAL])
    return ([*batch, *islice(few, 1)] for batch in _healthy())


def _batches(runs: Iterable[LabelledRun], *, size: int) -> Iterator[Batch]:
    yield from _cut(_requests(runs), size)


def _requests(runs: Iterable[LabelledRun]) -> Iterator[bytes]:
    """Spans of runs that all began an hour ago."""
    spans = interleaved(runs, first_ns=time.time_ns() - 3600 * 10**9)
    return (request(some) for some in _cut(spans, _REQUEST_SPANS))


def _cut(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some


def _cost(
    engine: Path, name: str, batches: Iterable[Batch], *, before: int = 0
) -> Cost:
    """`before` are large batches of other runs that were loaded hours ago."""
    store = Store(Address(path=engine, database=name.replace(" ", "_")))
    catalogue = load_catalogue()
    ledger = Ledger(store, catalogue)
    ledger.open(retention_days=None)
    long_ago = datetime.now(UTC) - timedelta(hours=3)
    for number, batch in enumerate(_healthy(before, stream=1)):
        ledger.load(_named(number, long_ago), batch)
    if before:
        store.command("OPTIMIZE TABLE spans FINAL")  # As parts are after hours.
    settle, watch = Settler(store, catalogue), Watcher(store)
    load_s = watch_s = 0.0
    largest, began = 0, datetime.now(UTC)
    made = list(batches)
    collect_garbage_rarely()  # Not in what was made: a collector has none of it.
    for number, batch in enumerate(made):
        batch_name = _named(number, datetime.now(UTC))
        begun_s = time.process_time()
        ledger.load(batch_name, batch)
        settle(batch_name)
        loaded_s = time.process_time()
        watch(batch_name)
        watch.look_again()
        load_s += loaded_s - begun_s
        watch_s += time.process_time() - loaded_s
        largest = max(largest, len(batch) * _REQUEST_SPANS)
    [row] = store.rows(_COUNTED, {"first_batch_s": int(began.timestamp())})
    store.close()
    return Cost(name, batch_spans=largest, load_s=load_s, watch_s=watch_s, **row)


def _named(number: int, at: datetime) -> str:
    """As a batch is called that is cut then: what was loaded when follows from it."""
    return f"{at:%Y%m%dT%H%M%SZ}-{number}"


_COUNTED: Final = """
SELECT count() AS spans, uniqExact(run_id) AS runs,
    (SELECT uniqExact(run_id) FROM findings) AS found
FROM spans WHERE entry = 'span' AND ingested_at >= {first_batch_s:Int64}
"""
