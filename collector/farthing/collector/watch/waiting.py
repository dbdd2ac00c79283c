"""The names of batches that are loaded and not yet watched, in a file."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Final

from farthing.errors import ConfigError

FILE: Final = "watch.sqlite3"
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS waiting (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    since_s REAL NOT NULL
)
"""


class Waiting:
    """Batches in the order in which they were loaded; a name takes some 100 bytes.

    Threads share it. What a call changed is durable when it returns. Raises ConfigError
    where the file cannot be opened, `sqlite3.Error` where it can no longer be written.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False
            )
            with ExitStack() as opened:
                opened.callback(self._db.close)
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = FULL")
                self._db.execute(_TABLE)
                rows = self._db.execute("SELECT name, since_s FROM waiting ORDER BY id")
                self._since_s: dict[str, float] = dict(rows.fetchall())
                opened.pop_all()
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(
                f"{path}: what is still to be watched cannot be kept there: {error}."
                " Move the file away to start without it"
            ) from None

    def put(self, name: str) -> None:
        """Add a batch; one that waits already keeps its place."""
        with self._lock:
            if name not in self._since_s:
                since_s = time.time()
                self._db.execute(
                    "INSERT INTO waiting (name, since_s) VALUES (?, ?)", (name, since_s)
                )
                self._since_s[name] = since_s

    def oldest(self, number: int) -> list[str]:
        """The first batches that wait; they go on waiting."""
        with self._lock:
            return list(islice(self._since_s, number))

    def done(self, names: Sequence[str]) -> None:
        """Forget batches."""
        with self._lock:
            marks = ", ".join("?" * len(names))
            self._db.execute(f"DELETE FROM waiting WHERE name IN ({marks})", names)  # noqa: S608
            for name in names:
                self._since_s.pop(name, None)

    def __len__(self) -> int:
        return len(self._since_s)

    def lag_s(self) -> float:
        """How long the first of them has waited; 0 if none waits."""
        with self._lock:
            since_s = next(iter(self._since_s.values()), None)
        return 0.0 if since_s is None else max(time.time() - since_s, 0.0)

    def close(self) -> None:
        """Nothing is put or done after it."""
        with self._lock:
            self._db.close()
