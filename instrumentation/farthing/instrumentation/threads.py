"""Carries OpenTelemetry's context, tags and all, into threads and their pools.

What opentelemetry-instrumentation-threading does, and for threads with a `run` of
their own too. Where that is installed it is left to do it. It is no dependency of ours,
because it pins other packages to one release: see docs/decisions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import context as otel
from wrapt import wrap_function_wrapper

from farthing.instrumentation.imports import once_imported
from farthing.instrumentation.isolate import attempt

_CONTEXT: Final = "_farthing_context"


def install() -> None:
    """Wrap threads now, and pools of threads once they are used."""
    wrap_function_wrapper(threading.Thread, "start", _start)
    # Not `run`: classes of the application override it.
    wrap_function_wrapper(threading.Thread, "_bootstrap_inner", _bootstrap)
    once_imported("concurrent.futures.thread", "follow pools of threads", _wrap_pool)


def _wrap_pool(module: Any) -> None:
    wrap_function_wrapper(module.ThreadPoolExecutor, "submit", _submit)


@contextmanager
def attached(context: otel.Context | None) -> Iterator[None]:
    """`context` as the current one, if there is one; never raises by itself."""
    token = None
    if context is not None:
        token = attempt("carry a context on", otel.attach, context)
    try:
        yield
    finally:
        if token is not None:
            attempt("leave a context", otel.detach, token)


def _start(
    start: Callable[..., Any],
    thread: Any,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> Any:
    attempt("note a thread's context", _note, thread)
    return start(*args, **kwargs)


def _note(thread: Any) -> None:
    setattr(thread, _CONTEXT, otel.get_current())


def _bootstrap(
    bootstrap: Callable[..., Any],
    thread: Any,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> Any:
    with attached(thread.__dict__.pop(_CONTEXT, None)):
        return bootstrap(*args, **kwargs)


def _submit(
    submit: Callable[..., Any],
    pool: Any,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> Any:
    del pool
    context = attempt("note a pool's context", otel.get_current)
    if not args:
        return submit(*args, **kwargs)
    function, *rest = args

    def within(*inner: Any, **named: Any) -> Any:
        with attached(context):
            return function(*inner, **named)

    return submit(within, *rest, **kwargs)
