"""What the agents of these tests share: cases, each a step with a prompt of its name.

An agent is a plain program that knows nothing of Farthing but the step's name. It runs
each of its cases and prints what the application saw of it, as a line of JSON.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

from farthing.instrumentation import step

PROVIDERS = os.environ.get("PROVIDERS_URL", "")
CASES: dict[str, Callable[[], Any]] = {}
_current = ""


def case(function: Callable[[], Any]) -> Callable[[], Any]:
    """Make a function a case; what it returns is what the application saw."""
    CASES[function.__name__] = function
    return function


def prompt(words: str = "") -> str:
    """A prompt that asks the stand-in for something, and names the case."""
    return f"hello #case={_current} {words}"


def messages(words: str = "") -> list[dict[str, Any]]:
    """The prompt as messages."""
    return [{"role": "user", "content": prompt(words)}]


async def cancelled(awaitable: Any, after_s: float) -> str:
    """Await something, and give up after a while."""
    task = asyncio.ensure_future(awaitable)
    await asyncio.sleep(after_s)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return "cancelled"
    return "came too early"


def run_all() -> None:
    """Run the cases that the command line names, else all."""
    global _current
    for name in sys.argv[1:] or CASES:
        _current = name
        saw: Any = None
        error = ""
        try:
            with step(name):
                answer = CASES[name]()
                if inspect.isawaitable(answer):
                    answer = asyncio.run(_awaited(answer))
                saw = answer
        except Exception as failed:  # noqa: BLE001 - told to the test
            error = f"{type(failed).__name__}: {failed}"
            traceback.print_exc()
        line = json.dumps({"case": name, "saw": saw, "error": error})
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


async def _awaited(awaitable: Any) -> Any:
    return await awaitable
