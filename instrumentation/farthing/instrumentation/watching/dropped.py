"""Streams that nobody reads any more, and that nobody closed.

What holds their events is followed to its end, whenever that is. A finalizer may run
anywhere, even inside a lock that ending the call would wait for: so it only puts the
call into a queue that is made for that. The next call takes it from there, before a
guard counts what is held; where no call comes, the end of the process does.
"""

from __future__ import annotations

import os
import weakref
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from farthing.instrumentation.flush import before_flush
from farthing.instrumentation.watching.quietly import quietly

if TYPE_CHECKING:
    from farthing.instrumentation.watching.call import Watch

_open: Final[set[Watch]] = set()
waiting: Final[SimpleQueue[Watch]] = SimpleQueue()
"""Calls whose streams were dropped, and that nobody has ended yet."""


def follow(holder: object, watch: Watch) -> weakref.finalize[..., Any]:
    """Once nobody holds `holder`, the stream was left, unless it had ended by then.
    Where something else is to be followed instead, `detach` what is returned."""
    _open.add(watch)
    following = weakref.finalize(holder, waiting.put, watch)
    following.atexit = False
    return following


def ended(watch: Watch) -> None:
    """A call has ended: it is not followed any longer."""
    _open.discard(watch)


def end_dropped() -> None:
    """End the streams that were dropped by now."""
    while not waiting.empty():
        quietly(waiting.get_nowait().left)


def _end_all() -> None:
    """The process ends, and what is open will not be read."""
    end_dropped()
    for watch in list(_open):
        quietly(watch.left)


before_flush(_end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open.clear)  # they are the parent's to tell
