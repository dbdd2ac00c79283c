"""Remembers what was told, as far as a process can."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import Final

MOST: Final = 10_000


class Once:
    """Names that were seen before; of very many, the oldest are forgotten."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        """A thread that held the lock is the parent's."""
        self._lock = threading.Lock()

    def is_new(self, name: str) -> bool:
        """Whether `name` is seen for the first time. An empty name never is."""
        with self._lock:
            if not name or name in self._seen:
                return False
            self._seen[name] = None
            if len(self._seen) > MOST:
                self._seen.popitem(last=False)
            return True
