"""Labelled runs of agents, one JSON object a line, plain or gzip.

The format is that of `benchmarks/loops/README.md`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Literal, cast

from farthing.economics.loops import Step
from farthing.errors import ConfigError

Label = Literal["loop", "no_loop", "borderline", "unknown"]
_LABELS: Final = ("loop", "no_loop", "borderline", "unknown")


@dataclass(frozen=True, slots=True)
class LabelledRun:
    """One run and what is known of it. `onset` is the tool step that is the first
    repetition; `is_normal`, whether an alarm would be a false one."""

    trace_id: str
    source: str
    label: Label
    onset: int | None
    is_normal: bool
    steps: tuple[Step, ...]


def read_runs(path: Path) -> Iterator[LabelledRun]:
    """The runs of a file. Raises ConfigError that names file and line."""
    read = 0
    try:
        with _opened(path) as lines:
            for line in lines:
                if line.strip():
                    yield _run(json.loads(line))
                read += 1
    except (ValueError, KeyError, TypeError, EOFError, OSError) as error:
        where = f"{path}, line {read + 1}"
        raise ConfigError(f"{where}: {_what(error)}; it is no labelled run") from error


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _what(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return str(error)


def _run(told: Any) -> LabelledRun:
    """Raises ValueError, KeyError, TypeError."""
    if not isinstance(told, Mapping) or not isinstance(told["steps"], list):
        raise ValueError("it is not an object with a list of steps")
    label = told.get("label") or "unknown"
    if label not in _LABELS:
        raise ValueError(f"label {label!r} is none of {', '.join(_LABELS)}")
    onset = told.get("onset_tool_step")
    if onset is not None and not isinstance(onset, int):
        raise ValueError(f"onset_tool_step {onset!r} is no whole number")
    steps = tuple(_step(number, step) for number, step in enumerate(told["steps"]))
    return LabelledRun(
        trace_id=str(told["trace_id"]),
        source=str(told.get("source") or "unknown"),
        label=cast("Label", label),
        onset=onset,
        is_normal=_is_normal(told, label, steps),
        steps=steps,
    )


def _step(number: int, told: Any) -> Step:
    if not isinstance(told, Mapping):
        raise ValueError(f"step {number} is no object")
    try:
        return Step.of(told)
    except ValueError as error:
        raise ValueError(f"step {number}: {error}") from error


def _is_normal(told: Mapping[str, Any], label: str, steps: tuple[Step, ...]) -> bool:
    """Labelled so; or not labelled, but uninjected or a success. Only with tool calls:
    without them there is little to raise an alarm about."""
    if not any(step.kind == "tool" for step in steps):
        return False
    is_healthy = "healthy" in str(told["trace_id"]) or told.get("outcome") is True
    return label == "no_loop" or (label == "unknown" and is_healthy)
