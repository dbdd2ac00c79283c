"""Carries the current span and tags into child processes.

Into programs by their environment, into multiprocessing's workers with what they are
given to do, because a worker outlives the work for which it was started.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import context as otel
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from wrapt import wrap_function_wrapper

from farthing.instrumentation.context import carried_tags, own_tags, with_tags
from farthing.instrumentation.imports import once_imported
from farthing.instrumentation.isolate import attempt
from farthing.instrumentation.propagation import HEADER, decode, encode, handed_over
from farthing.instrumentation.settings import TAGS, environment
from farthing.instrumentation.threads import attached

Wrapped = Callable[..., Any]
Carrier = dict[str, str]
_CARRIER: Final = "_farthing_carrier"
_TRACE: Final = TraceContextTextMapPropagator()
_ENV_POSITION: Final = 10  # of `env` among Popen's arguments, after `args`


def install() -> None:
    """Wrap what starts processes, once it is imported."""
    once_imported("subprocess", "follow programs", _wrap_subprocess)
    once_imported("multiprocessing.process", "follow workers", _wrap_multiprocessing)
    once_imported("concurrent.futures.process", "follow pools", _wrap_pool)


def adopt(traceparent: str, tracestate: str) -> None:
    """Make the parent process's span the parent of what has none here.

    One that was not sampled is left aside: what this process spends is to be seen.
    """
    if not traceparent.endswith("-00"):
        found = _TRACE.extract({"traceparent": traceparent, "tracestate": tracestate})
        otel.attach(found)


def _wrap_subprocess(module: Any) -> None:
    wrap_function_wrapper(module.Popen, "__init__", _popen)


def _wrap_multiprocessing(module: Any) -> None:
    wrap_function_wrapper(module.BaseProcess, "start", _start)
    wrap_function_wrapper(module.BaseProcess, "_bootstrap", _bootstrap)


def _wrap_pool(module: Any) -> None:
    wrap_function_wrapper(module.ProcessPoolExecutor, "submit", _submit)


def _popen(
    init: Wrapped, process: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    del process
    found = attempt("tell a child process of its parent", _for_child, args, kwargs)
    args, kwargs = found or (args, kwargs)
    return init(*args, **kwargs)


def _for_child(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """Popen's arguments with an environment that tells of this process's work."""
    is_positional = len(args) > _ENV_POSITION
    given = args[_ENV_POSITION] if is_positional else kwargs.get("env")
    env = _child_environment(environment() if given is None else given)
    if env is None:
        return None
    if is_positional:
        return (*args[:_ENV_POSITION], env, *args[_ENV_POSITION + 1 :]), kwargs
    return args, {**kwargs, "env": env}


def _child_environment(given: Mapping[Any, Any]) -> dict[Any, Any] | None:
    """`given` with span and tags; None where there is nothing to tell, or where the
    child could not report: it was given an environment without OpenTelemetry's."""
    trace: Carrier = {}
    _TRACE.inject(trace)
    has_tags = bool(own_tags().values)
    if not (trace or has_tags) or not any(str(k).startswith("OTEL_") for k in given):
        return None
    told = {name.upper(): value for name, value in trace.items()}
    if not has_tags:  # the process's own are in its environment
        return {**given, **told}
    tags = carried_tags()
    others = {name: value for name, value in given.items() if name not in TAGS}
    ours = {name: tags[tag] for name, tag in TAGS.items() if tag in tags}
    return {**others, **told, **ours}


def carrier() -> Carrier:
    """The current span and tags as text, empty if there are none."""
    found: Carrier = {}
    _TRACE.inject(found)
    tags = encode(carried_tags())
    return {**found, HEADER: tags} if tags else found


@contextmanager
def working_for(carried: Carrier | None) -> Iterator[None]:
    """What happens within is done for what `carried` tells of."""
    context = attempt("read a parent's work", _context_of, carried)
    with attached(context):
        yield


def _context_of(carried: Carrier | None) -> otel.Context | None:
    if not carried:
        return None
    context = _TRACE.extract(carried)
    tags = decode(carried.get(HEADER, ""))
    return with_tags(handed_over(tags), context) if tags else context


def call_for(carried: Carrier, function: Wrapped, *args: Any, **kwargs: Any) -> Any:
    """`function(…)`, in a worker, for what `carried` tells of."""
    with working_for(carried):
        return function(*args, **kwargs)


def _start(
    start: Wrapped, process: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    attempt("note a worker's work", _note, process)
    return start(*args, **kwargs)


def _note(process: Any) -> None:
    carried = carrier()
    if carried:
        setattr(process, _CARRIER, carried)


def _bootstrap(
    bootstrap: Wrapped, process: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    # Not `run`: classes of the application override it.
    with working_for(process.__dict__.get(_CARRIER)):
        return bootstrap(*args, **kwargs)


def _submit(
    submit: Wrapped, pool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    del pool
    carried = attempt("note a pool's work", carrier)
    if carried and args:
        return submit(call_for, carried, *args, **kwargs)
    return submit(*args, **kwargs)
