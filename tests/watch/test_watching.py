"""The watch runs beside loading, and misses nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from farthing.collector.store.client import Away, Refused
from farthing.collector.watch.waiting import Waiting
from farthing.collector.watch.watching import Watch, Watching
from farthing.errors import ConfigError

TIMEOUT_S = 20.0


class Watched:
    """Stands where the watcher does; can be held up, and made to fail."""

    def __init__(self, failures: dict[str, list[Exception]] | None = None) -> None:
        self.names: list[str] = []
        self.rounds = 0
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.began = threading.Event()
        self._failures = failures or {}

    def __call__(self, *names: str) -> None:
        self.began.set()
        assert self.may_go_on.wait(TIMEOUT_S)
        for name in names:
            if failures := self._failures.get(name):
                raise failures.pop(0)
        self.names += names
        self.rounds += 1

    def look_again(self) -> bool:
        return False


@contextmanager
def watching(
    folder: Path, watch: Watch, registry: CollectorRegistry | None = None
) -> Iterator[Watching]:
    waiting = Waiting(folder / "watch.sqlite3")
    made = Watching(waiting, watch, registry=registry or CollectorRegistry())
    made.start()
    try:
        yield made
    finally:
        made.stop()
        waiting.close()


def wait_until_idle(made: Watching) -> None:
    pause = threading.Event()
    for _ in range(int(TIMEOUT_S / 0.01)):
        if made.is_idle:
            return
        pause.wait(0.01)
    raise AssertionError("batches still wait to be watched")


def test_loading_does_not_wait_for_the_watch(tmp_path: Path) -> None:
    """Batches can be added while one is watched. They are watched in their order,
    together, and metrics say meanwhile how far behind the watch is."""
    watched, registry = Watched(), CollectorRegistry()
    watched.may_go_on.clear()
    with watching(tmp_path, watched, registry) as made:
        made.add("first")
        assert watched.began.wait(TIMEOUT_S)
        for name in ("second", "third", "fourth"):
            made.add(name)
        assert registry.get_sample_value("farthing_watch_waiting_batches") == 4
        lag_s = registry.get_sample_value("farthing_watch_lag_seconds")
        assert lag_s is not None
        assert lag_s > 0
        watched.may_go_on.set()
        wait_until_idle(made)
    assert watched.names == ["first", "second", "third", "fourth"]
    assert watched.rounds == 2
    assert registry.get_sample_value("farthing_watch_lag_seconds") == 0


def test_what_was_not_watched_is_watched_after_a_start(tmp_path: Path) -> None:
    """A batch waits until it was watched to the end, whoever ended meanwhile."""
    with watching(tmp_path, Watched({"left": [Away("gone")] * 1000})) as made:
        made.add("left")
        made.add("behind it")
    watched = Watched()
    with watching(tmp_path, watched) as made:
        wait_until_idle(made)
    assert watched.names == ["left", "behind it"]


def test_a_batch_that_waits_is_watched_once(tmp_path: Path) -> None:
    """The loader follows a batch up again where something failed after it was added."""
    watched = Watched()
    watched.may_go_on.clear()
    with watching(tmp_path, watched) as made:
        made.add("first")
        assert watched.began.wait(TIMEOUT_S)
        made.add("twice")
        made.add("twice")
        watched.may_go_on.set()
        wait_until_idle(made)
    assert watched.names == ["first", "twice"]


@pytest.mark.parametrize("error", [KeyError("span"), Refused("too large", 62)])
def test_a_batch_that_cannot_be_judged_is_passed_over(
    tmp_path: Path, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says which; those that waited beside it are watched."""
    watched = Watched({"broken": [error, error]})
    watched.may_go_on.clear()
    with watching(tmp_path, watched) as made:
        made.add("first")
        assert watched.began.wait(TIMEOUT_S)
        for name in ("before", "broken", "after"):
            made.add(name)
        watched.may_go_on.set()
        wait_until_idle(made)
    assert watched.names == ["first", "before", "after"]
    assert "batch broken cannot be watched" in caplog.text


def test_a_store_that_is_away_is_asked_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The batch waits meanwhile, and the log says so."""
    watched = Watched({"first": [Away("the store is away")]})
    with watching(tmp_path, watched) as made:
        made.add("first")
        wait_until_idle(made)
    assert watched.names == ["first"]
    assert "runs cannot be watched: the store is away" in caplog.text


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """The error names the file and what to do."""
    path = tmp_path / "watch.sqlite3"
    path.write_text("this is no database, and long enough to be seen as none " * 20)
    with pytest.raises(ConfigError, match=r"watch\.sqlite3.*Move the file away"):
        Waiting(path)
