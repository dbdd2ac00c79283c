"""`task`, `step` and `tags`: say in code for whom work is done.

Each is a context manager and a decorator, for functions, coroutines and generators of
both kinds. They never raise, whatever they are given: what is no tag is left out.
"""

from __future__ import annotations

import functools
import inspect
import secrets
from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from typing import Any, Final, TypeVar, cast

from opentelemetry import context as otel

from farthing import semconv
from farthing.instrumentation.context import (
    Tags,
    is_handed_over,
    own_tags,
    with_tags,
)
from farthing.instrumentation.isolate import attempt
from farthing.instrumentation.settings import LONGEST_TAG

F = TypeVar("F", bound=Callable[..., Any])


class Scope:
    """Tags for what happens within: `with scope: …`, `async with scope: …`, `@scope`.

    May be entered again and again, also by many threads and tasks at once.
    """

    def __init__(self, tags: Callable[[Tags], Tags]) -> None:
        self.tags = tags

    def __enter__(self) -> None:
        attempt("tag what follows", self._attach)

    def __exit__(self, *error: object) -> None:
        attempt("end the tags of a block", self._detach)

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(self, *error: object) -> None:
        self.__exit__(*error)

    def __call__(self, function: F) -> F:
        """`function` with these tags on all that it does."""
        for is_kind, wrap in _KINDS:
            if is_kind(function):
                return cast("F", functools.wraps(function)(wrap(self, function)))
        return cast("F", functools.wraps(function)(_plain(self, function)))

    def _attach(self) -> None:
        token = otel.attach(with_tags(self.tags(own_tags())))
        _entered.set((*_entered.get(), (self, token)))

    def _detach(self) -> None:
        *outer, (scope, token) = _entered.get() or ((None, None),)
        if scope is self and token is not None:
            _entered.set(tuple(outer))
            otel.detach(token)


def task(
    task_type: str,
    *,
    id: str | None = None,  # noqa: A002 - the field's own word
    business_unit: str | None = None,
    team: str | None = None,
    user: str | None = None,
) -> Scope:
    """One run of a task of the kind `task_type`; each entry is a run of its own.

    `id` names the run; without one it gets an id that is new. In a run that a caller
    handed over (another service, the parent process) a task without an id belongs to
    that run, and is a step of it.
    """
    payer = _payer(business_unit, team, user)

    def tags(outer: Tags) -> Tags:
        if id is None and is_handed_over():
            return outer.having({semconv.STEP_NAME: _text(task_type), **payer})
        run = {
            semconv.TASK_TYPE: _text(task_type),
            semconv.TASK_ID: _text(id) or secrets.token_hex(16),
        }
        kept = {k: v for k, v in outer.values.items() if k != semconv.STEP_NAME}
        return Tags(kept).having({**run, **payer})

    return Scope(tags)


def step(name: str) -> Scope:
    """A step of the workflow of the task."""
    return tags_scope({semconv.STEP_NAME: _text(name)})


def tags(
    *,
    business_unit: str | None = None,
    team: str | None = None,
    user: str | None = None,
) -> Scope:
    """Who pays and who works, whatever the task."""
    return tags_scope(_payer(business_unit, team, user))


def tags_scope(values: Mapping[str, str]) -> Scope:
    """Attributes by name for what happens within."""
    return Scope(lambda outer: outer.having(values))


def _payer(
    business_unit: str | None, team: str | None, user: str | None
) -> dict[str, str]:
    return {
        semconv.BUSINESS_UNIT: _text(business_unit),
        semconv.TEAM: _text(team),
        semconv.USER: _text(user),
    }


def _text(value: object) -> str:
    """`value` as a tag; "" for None and for what cannot be one."""
    if value is None:
        return ""
    return attempt("read a tag", _checked, value) or ""


def _checked(value: object) -> str:
    return "".join(c for c in str(value) if c.isprintable())[:LONGEST_TAG]


def _plain(scope: Scope, function: Callable[..., Any]) -> Callable[..., Any]:
    def tagged(*args: Any, **kwargs: Any) -> Any:
        with scope:
            return function(*args, **kwargs)

    return tagged


def _coroutine(scope: Scope, function: Callable[..., Any]) -> Callable[..., Any]:
    async def tagged(*args: Any, **kwargs: Any) -> Any:
        with scope:
            return await function(*args, **kwargs)

    return tagged


def _generator(scope: Scope, function: Callable[..., Any]) -> Callable[..., Any]:
    def tagged(*args: Any, **kwargs: Any) -> Any:
        inner, run = function(*args, **kwargs), _of_one_run(scope)
        resume = functools.partial(inner.send, None)
        try:
            while True:
                try:
                    with run:
                        item = resume()
                except StopIteration as end:
                    return end.value
                try:
                    resume = functools.partial(inner.send, (yield item))
                except Exception as error:  # noqa: BLE001 - for the generator to see
                    resume = functools.partial(inner.throw, error)
        finally:
            inner.close()

    return tagged


def _async_generator(scope: Scope, function: Callable[..., Any]) -> Callable[..., Any]:
    async def tagged(*args: Any, **kwargs: Any) -> Any:
        inner, run = function(*args, **kwargs), _of_one_run(scope)
        resume = functools.partial(inner.asend, None)
        try:
            while True:
                try:
                    with run:
                        item = await resume()
                except StopAsyncIteration:
                    return
                try:
                    resume = functools.partial(inner.asend, (yield item))
                except Exception as error:  # noqa: BLE001 - for the generator to see
                    resume = functools.partial(inner.athrow, error)
        finally:
            await inner.aclose()

    return tagged


def _of_one_run(scope: Scope) -> Scope:
    """The tags that `scope` gives now. A generator has them while it runs: between two
    of its values its caller does."""
    now = attempt("tag a generator", lambda: scope.tags(own_tags()))
    return scope if now is None else Scope(lambda outer: now)  # noqa: ARG005


_entered: ContextVar[tuple[tuple[Scope, Token[otel.Context]], ...]] = ContextVar(
    "farthing.entered", default=()
)
_KINDS: Final[
    tuple[
        tuple[
            Callable[[object], bool],
            Callable[[Scope, Callable[..., Any]], Callable[..., Any]],
        ],
        ...,
    ]
] = (
    (inspect.isasyncgenfunction, _async_generator),
    (inspect.iscoroutinefunction, _coroutine),
    (inspect.isgeneratorfunction, _generator),
)
