"""Every hook of ours: each place in the sources where `attempt` guards our own code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "instrumentation/farthing/instrumentation"
AT_START = (
    "adopt the parent's span",
    "carry tags into child processes",
    "carry tags into threads",
    "carry tags to other services",
    "choose an instrumentor",
    "choose the distro",
    "flush at the end",
    "flush in multiprocessing",
    "flush on SIGTERM",
    "follow pools",
    "follow pools of threads",
    "follow programs",
    "follow workers",
    "instrument a library",
    "look for misspelt variables",
    "observe model calls",
    "prepare for the first span",
    "quieten the loader",
    "read the environment",
    "send what waits at the end",
    "set OpenTelemetry up",
    "set defaults",
    "tag what is told",
    "wait for libraries",
    "wait for the first span",
    "wait until a provider is asked for",
)
"""Those that are reached before the agent's own code runs."""


def labels() -> list[str]:
    """What the hooks are called, sorted; CrewAI's is not among them, as CrewAI is not
    installed here."""
    found = {name for path in SOURCES.rglob("*.py") for name in _labels(path)}
    return sorted(found - {"read CrewAI's task"})


def _labels(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            values = [node.args[p] for p in (0, 1) if p < len(node.args)]
            texts = [v.value for v in values if isinstance(v, ast.Constant)]
            if name == "attempt" and path.name != "isolate.py":
                yield str(texts[0])
            if name == "once_imported":
                yield str(texts[-1])
