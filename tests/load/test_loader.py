"""From the spool to the ledger, in the embedded engine."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from farthing.collector.load import Loader
from farthing.collector.receive.otlp import check_request
from farthing.collector.replay.files import read
from farthing.collector.store.client import Refused, Store
from farthing.collector.store.ledger import Ledger
from tests.load.loading import (
    Way,
    balance,
    poison,
    request,
    running,
    way,
)


def test_all_is_loaded_once(on_way: Way) -> None:
    """While requests arrive and after, all that was acknowledged gets into the ledger,
    once, and out of the spool; the metrics say how much that was."""
    with running(on_way):
        on_way.append(map(request, range(100)))
        on_way.append(map(request, range(50, 200)))
        on_way.wait_until_dry()
    balance(on_way.ledger.store, range(200))
    assert on_way.metric("farthing_load_requests_total") == 200
    assert on_way.metric("farthing_spool_requests") == 0
    assert on_way.metric("farthing_spool_bytes") == 0
    assert on_way.metric("farthing_spool_oldest_age_seconds") == 0


def test_stopped_loader_leaves_what_waits(on_way: Way) -> None:
    """A loader that was stopped takes nothing more; the next one does."""
    with running(on_way):
        on_way.append([request(1)])
        on_way.wait_until_dry()
    on_way.append([request(2)])
    balance(on_way.ledger.store, [1])
    on_way.run_dry()
    balance(on_way.ledger.store, [1, 2])


def test_crash_between_ledger_and_spool(ledger: Ledger, tmp_path: Path) -> None:
    """A batch that is in the ledger and not yet finished in the spool is inserted again
    after a restart, under its name, and counts once in the ledger and each roll-up."""
    with way(tmp_path, ledger) as before:
        before.append(map(request, range(10)))
        batch = before.spool.next_batch(max_bytes=1 << 20)
        assert batch is not None
        ledger.load(batch.name, batch.requests)
    with way(tmp_path, ledger) as after:
        after.append(map(request, range(5, 15)))
        after.run_dry()
    balance(ledger.store, range(15))


@pytest.mark.parametrize("bad", [{0}, {14}, {3, 4, 9}])
def test_poison_among_good(on_way: Way, bad: set[int]) -> None:
    """What ClickHouse refuses is put aside, each request by itself with the reason,
    where `farthing replay` reads it; all others are loaded once."""
    for number in bad:
        assert check_request(poison(number)).spans == 1
    on_way.append(
        poison(number) if number in bad else request(number) for number in range(15)
    )
    on_way.run_dry()
    balance(on_way.ledger.store, set(range(15)) - bad)
    found = [list(read(path)) for path in on_way.put_aside()]
    assert sorted(found) == sorted([poison(number)] for number in bad)
    for path in on_way.put_aside():
        reason = json.loads(path.with_suffix(".json").read_text())
        assert reason["code"] > 0
        assert "Protobuf" in reason["reason"] or "PROTOBUF" in reason["reason"]
        assert reason["at"].endswith("+00:00")
    assert on_way.metric("farthing_load_dead_letters_total") == len(bad)
    assert on_way.loader.problem is None


def test_put_aside_may_be_sent_again(on_way: Way) -> None:
    """A request that was put aside is taken, and judged, anew when it is sent again."""
    for round_ in (1, 2):
        on_way.append([poison(1)])
        on_way.run_dry()
        assert len(on_way.put_aside()) == round_


def test_crash_while_putting_aside(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a crash between dead-letter folder and spool, the request is put aside once
    more in the same file."""
    with way(tmp_path, ledger) as before:
        before.append([poison(1)])
        batch = before.spool.next_batch(max_bytes=1)
        assert batch is not None
        with monkeypatch.context() as patched:
            patched.setattr(before.spool, "give_up", lambda _: None)
            before.loader._put_aside(batch, Refused("refused", 1))
    with way(tmp_path, ledger) as after:
        after.run_dry()
        [path] = after.put_aside()
        assert list(read(path)) == [poison(1)]


def refuse(store: Store, how: str) -> Iterator[str]:
    """Break the ledger's schema; going on repairs it."""
    there, back = {
        "no table": ("RENAME TABLE spans TO gone", "RENAME TABLE gone TO spans"),
        "no column": (
            "ALTER TABLE spans RENAME COLUMN step TO gone",
            "ALTER TABLE spans RENAME COLUMN gone TO step",
        ),
        "no roll-up": ("RENAME TABLE runs TO gone", "RENAME TABLE gone TO runs"),
    }[how]
    store.command(there)
    yield how
    store.command(back)


@pytest.mark.parametrize("how", ["no table", "no column", "no roll-up"])
def test_store_that_refuses_everything(on_way: Way, how: str) -> None:
    """Where the store takes nothing at all, no request is blamed: loading is held up
    with a reason, and goes on by itself once the store is repaired."""
    on_way.append(map(request, range(3)))
    broken = refuse(on_way.ledger.store, how)
    next(broken)
    for _ in range(3):  # enough to come down to one request, and to try another
        on_way.step()
    assert on_way.loader.problem is not None
    assert on_way.put_aside() == []
    assert on_way.spool.waiting().requests == 3
    next(broken, None)
    on_way.run_dry()
    balance(on_way.ledger.store, range(3))
    assert on_way.loader.problem is None


def test_part_in_the_ledger_keeps_its_name(on_way: Way) -> None:
    """A refused batch of which a part is in the ledger is never cut, since the part
    would count twice under another name."""
    on_way.append(map(request, range(10)))
    batch = on_way.spool.next_batch(max_bytes=1 << 20)
    assert batch is not None
    on_way.ledger.load(batch.name, batch.requests)
    with pytest.raises(Refused, match=batch.name):
        on_way.loader._narrow(batch, Refused("refused", 1))
    assert on_way.spool.next_batch(max_bytes=1) == batch
    on_way.run_dry()
    balance(on_way.ledger.store, range(10))


def test_dead_letter_folder_that_cannot_be_written(on_way: Way) -> None:
    """While a refused request cannot be kept, it stays in the spool, and loading says
    why it is held up."""
    on_way.append([poison(1)])
    on_way.dead_letters.write_bytes(b"in the way")
    on_way.step()
    assert on_way.spool.waiting().requests == 1
    assert "dead-letter" in str(on_way.loader.problem)
    on_way.dead_letters.unlink()
    on_way.append([request(2)])
    on_way.run_dry()
    assert len(on_way.put_aside()) == 1
    balance(on_way.ledger.store, [2])


def test_spool_that_cannot_be_written(on_way: Way) -> None:
    """A spool that fails at any step of loading holds loading up, and no more."""
    on_way.append(map(request, range(4)))
    on_way.spool._file._loading.execute("PRAGMA busy_timeout = 0")
    file = on_way.spool._file._path
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        on_way.step()  # cannot write down the batch
        assert "locked" in str(on_way.loader.problem)
        other.rollback()
        assert on_way.spool.next_batch(max_bytes=1 << 20) is not None
        other.execute("BEGIN IMMEDIATE")
        on_way.step()  # cannot finish it
        other.rollback()
    assert on_way.spool.waiting().requests == 4
    on_way.run_dry()
    balance(on_way.ledger.store, range(4))
    assert on_way.metric("farthing_load_failures_total", cause="disk") == 2


def test_what_nobody_foresaw(on_way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody foresaw holds loading up; the thread survives it."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    with monkeypatch.context() as patched, running(on_way):
        patched.setattr(Loader, "_load", broken)
        on_way.append([request(1)])
        assert "a fault of ours" in on_way.wait_for_problem()
        patched.undo()
        on_way.wait_until_dry()
    balance(on_way.ledger.store, [1])


def test_batches_grow_again_after_a_refusal(
    on_way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a refusal batches are small, since poison seldom comes alone, and grow
    with each success."""
    on_way.append([poison(0), *map(request, range(1, 60))])
    sizes: list[int] = []
    load = on_way.ledger.load

    def counted(name: str, requests: Sequence[bytes]) -> None:
        sizes.append(len(requests))
        load(name, requests)

    monkeypatch.setattr(on_way.ledger, "load", counted)
    on_way.run_dry()
    balance(on_way.ledger.store, range(1, 60))
    one = sizes.index(1)
    assert sizes[: one + 1] == sorted(sizes[: one + 1], reverse=True)
    assert sizes[one + 1 : -1] == sorted(sizes[one + 1 : -1])
    assert len(sizes) < 15
