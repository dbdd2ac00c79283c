"""Runs an agent's cases again and again, each time with something of ours broken.

Its arguments: the agent, the cases joined by commas, then places `module:function`.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import sys
from typing import Any

import cases as shared

PACKAGE = "farthing.instrumentation"


class Broken(Exception):
    pass


class BrokenObserver:
    def before(self, _call: Any) -> None:
        raise Broken

    def after(self, _call: Any, _ended: Any) -> None:
        raise Broken


def fail(*_args: Any, **_kwargs: Any) -> Any:
    raise Broken


def holder(place: str) -> tuple[Any, str]:
    module, _, names = place.partition(":")
    home: Any = importlib.import_module(f"{PACKAGE}.{module}")
    *owners, name = names.split(".")
    for owner in owners:
        home = getattr(home, owner)
    return home, name


def run(names: list[str]) -> dict[str, Any]:
    seen = {}
    for name in names:
        shared._current = name
        saw = shared.CASES[name]()
        seen[name] = asyncio.run(_awaited(saw)) if inspect.isawaitable(saw) else saw
    return seen


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


def tell(place: str, names: list[str]) -> None:
    try:
        line = {"place": place, "saw": run(names)}
    except Exception as error:  # noqa: BLE001 - told to the test
        line = {"place": place, "saw": repr(error)}
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


def main() -> None:
    agent, cases, *places = sys.argv[1:]
    importlib.import_module(agent)
    names = cases.split(",")
    for place in places:
        home, name = holder(place)
        kept = getattr(home, name)
        setattr(home, name, fail)
        tell(place, names)
        setattr(home, name, kept)
    call = importlib.import_module(f"{PACKAGE}.watching.call")
    made = call.Watch.__init__

    def observed(self: Any, make: Any, api: Any, _observers: Any, **more: Any) -> None:
        made(self, make, api, [BrokenObserver()], **more)

    call.Watch.__init__ = observed
    tell("observers", names)


if __name__ == "__main__":
    main()
