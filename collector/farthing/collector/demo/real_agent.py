"""Runs a real agent: a program of the OpenAI SDK, instrumented by three variables.

Its provider is the stand-in of `providers`, so that it needs neither key nor network.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from farthing.collector.demo.providers import serving
from farthing.instrumentation import settings

TASK_TYPE: Final = "weather-report"
_PROGRAM: Final = Path(__file__).with_name("agent.py")
_NEEDED: Final = ("openai", "opentelemetry.instrumentation.genai.openai")
_MOST_S: Final = 60


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of it: calls that its provider billed, and its exit code."""

    billed_calls: int
    exit_code: int


def can_run() -> bool:
    """Whether the SDK and its instrumentation are installed."""
    try:
        return _instrument().exists() and all(find_spec(name) for name in _NEEDED)
    except ModuleNotFoundError:
        return False


def run_agent(
    otlp_url: str, token: str | None, *, wait: Callable[[float], None]
) -> Ran:
    """Run the agent, which sends its spans to `otlp_url`.

    `wait` is called with the seconds to wait for it, again and again; what it raises
    ends the agent.
    """
    with serving() as providers:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_url,
            "FARTHING_TASK_TYPE": TASK_TYPE,
            "FARTHING_BUSINESS_UNIT": "demo",
            "OTEL_SERVICE_NAME": "weather",
            "OPENAI_BASE_URL": f"{providers.url}/v1",
            "OPENAI_API_KEY": "none",
        }
        if token:
            variables["OTEL_EXPORTER_OTLP_HEADERS"] = f"authorization=Bearer%20{token}"
        exit_code = _run(variables, wait)
        return Ran(len(providers.bill.items), exit_code)


def _run(variables: dict[str, str], wait: Callable[[float], None]) -> int:
    process = subprocess.Popen(  # noqa: S603 - a program of our own
        [_instrument(), sys.executable, _PROGRAM],
        env={**settings.environment(), **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(_MOST_S * 10):
            wait(0.1)
            if process.poll() is not None:
                break
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
    return process.returncode


def _instrument() -> Path:
    return Path(sys.executable).with_name("opentelemetry-instrument")
