"""Wraps functions of other libraries, once, where they are."""

from __future__ import annotations

import importlib
from typing import Any

import wrapt

from farthing.instrumentation.watching.quietly import say_once


def wrap(package: str, place: str, wrapper: Any) -> bool:
    """Wrap `package`.`place`, which is `module.Class.method`, `module.function`, or
    `.function` of the package itself; the module may have dots.

    Says whether it is there. What another release does not have, or what we have
    wrapped before, is left alone.
    """
    try:
        home, names = _home(package, place)
        found: Any = home
        for name in names.split("."):
            found = getattr(found, name)
        if getattr(found, "_self_farthing", False):
            return True
        made: Any = wrapt.wrap_function_wrapper(home, names, wrapper)
        made._self_farthing = True  # noqa: SLF001 - how wrapt names what is its proxy's
    except (ImportError, AttributeError):
        return False
    except Exception as error:  # noqa: BLE001 - it must not reach the agent
        say_once(wrap, error)
        return False
    return True


def wrap_beneath(package: str, place: str, wrapper: Any) -> bool:
    """The same, under what wraps the function already: the official instrumentation.

    So the span of the call is current in `wrapper`.
    """
    try:
        home, names = _home(package, place)
        owner, _, name = names.rpartition(".")
        found = vars(getattr(home, owner))[name]
        if not isinstance(found, wrapt.FunctionWrapper):
            return wrap(package, place, wrapper)
        inner: Any = found.__wrapped__
        if not getattr(inner, "_self_farthing", False):
            made: Any = wrapt.FunctionWrapper(inner, wrapper)
            made._self_farthing = True  # noqa: SLF001
            found.__wrapped__ = made
    except (ImportError, AttributeError, KeyError):
        return False
    return True


def _home(package: str, place: str) -> tuple[Any, str]:
    """The module of a place, and what is behind it."""
    parts = place.split(".")
    is_class = len(parts) > 2 and parts[-2][:1].isupper()
    cut = -2 if is_class else -1
    module = ".".join([package, *filter(None, parts[:cut])])
    return importlib.import_module(module), ".".join(parts[cut:])
