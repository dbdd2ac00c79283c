"""CrewAI: the task that runs is the step, its agent's role the agent's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wrapt import wrap_function_wrapper

from farthing import semconv
from farthing.instrumentation.context import AGENT
from farthing.instrumentation.frameworks import Reader
from farthing.instrumentation.isolate import attempt
from farthing.instrumentation.scopes import Scope, tags_scope


def install(readers: list[Reader]) -> None:
    """Wrap how tasks are run; CrewAI has no place where the current one can be read."""
    del readers
    from crewai.task import Task

    wrap_function_wrapper(Task, "_execute_core", _execute)
    wrap_function_wrapper(Task, "_aexecute_core", _execute_async)


def _execute(
    execute: Callable[..., Any],
    task: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    with _of(task, args):
        return execute(*args, **kwargs)


async def _execute_async(
    execute: Callable[..., Any],
    task: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    with _of(task, args):
        return await execute(*args, **kwargs)


def _of(task: Any, args: tuple[Any, ...]) -> Scope:
    return tags_scope(attempt("read CrewAI's task", _tags, task, args) or {})


def _tags(task: Any, args: tuple[Any, ...]) -> dict[str, str]:
    """The task's name, if it has one: its description is content."""
    agent = (args[0] if args else None) or task.agent
    role = str(getattr(agent, "role", "") or "").strip()
    return {semconv.STEP_NAME: str(task.name or ""), AGENT: role}
