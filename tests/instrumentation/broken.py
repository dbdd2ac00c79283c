"""An agent in which one of our hooks is broken: does it notice?

    python -m tests.instrumentation.broken HOOK…

forks a process per hook, breaks that hook in it and does an agent's work; those that
are named are broken before the agent is set up, the others after it. Prints a line per
hook, JSON: whether it was reached, what the work came to, which signal ended it.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx2
import openai
from opentelemetry import _logs, propagate, trace
from opentelemetry.instrumentation.auto_instrumentation import initialize

from farthing.instrumentation import isolate, outcome, step, tags, task
from farthing.instrumentation.propagation import headers
from tests.instrumentation.hooks import labels

ANSWER = {
    "id": "r1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-5",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "four"},
        }
    ],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
}
EXPECTED = {
    "asked": "four",
    "thread": "thread",
    "pool": "pool",
    "program": "program\n",
    "worker": 0,
    "workers": "workers",
    "generator": ["one", "two"],
    "coroutine": "coroutine",
    "carried": {"own": "kept"},
}
FORK = multiprocessing.get_context("fork")


def same(value: str) -> str:
    return value


def ask() -> str:
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json=ANSWER))
    client = openai.OpenAI(api_key="k", http_client=httpx2.Client(transport=transport))
    messages: Any = [{"role": "user", "content": "2 + 2?"}]
    answer = client.chat.completions.create(model="gpt-5", messages=messages)
    return str(answer.choices[0].message.content)


def in_a_thread() -> str:
    found: list[str] = []
    thread = threading.Thread(target=found.append, args=("thread",))
    thread.start()
    thread.join()
    return found[0]


def in_pools() -> tuple[str, str]:
    with ThreadPoolExecutor(1) as threads, ProcessPoolExecutor(1, FORK) as workers:
        return threads.submit(same, "pool").result(), str(
            workers.submit(same, "workers").result()
        )


def in_a_worker() -> int | None:
    worker = FORK.Process(target=same, args=("worker",))
    worker.start()
    worker.join()
    return worker.exitcode


def in_a_program() -> str:
    command = [sys.executable, "-S", "-E", "-c", "print('program')"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@step("generator")
def generator() -> Any:
    yield "one"
    yield "two"


@step("coroutine")
async def coroutine() -> str:
    return "coroutine"


def carried() -> dict[str, str]:
    sent = {"own": "kept"}
    client = {"url.full": "http://billing:80/x"}
    with trace.get_tracer("t").start_as_current_span("GET", attributes=client):
        propagate.inject(sent)
    headers()
    propagate.extract({"farthing-tags": "farthing.task.type=x"})
    return {"own": sent["own"]}


def work() -> dict[str, Any]:
    """What an agent does, with all that we hook into."""
    root = trace.get_tracer("t").start_as_current_span("root")
    with task("review", id="1"), tags(user="u"), step("plan"), root:
        _logs.get_logger("t").emit(body="said")
        outcome("done", value=1)
        pool, workers = in_pools()
        return {
            "asked": ask(),
            "thread": in_a_thread(),
            "pool": pool,
            "workers": workers,
            "worker": in_a_worker(),
            "program": in_a_program(),
            "generator": list(generator()),
            "coroutine": asyncio.run(coroutine()),
            "carried": carried(),
        }


def break_hook(label: str, reached: Path) -> None:
    """From now on what `label` names fails, and every hook that is reached is noted."""

    def run(what: str, action: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        with reached.open("a") as file:
            file.write(f"{what}\n")
        if what == label:
            raise RuntimeError("broken by the test")
        return action(*args)

    isolate._run = run


def start() -> None:
    """What `opentelemetry-instrument` does before the agent's own code."""
    __import__("farthing.instrumentation.choice")
    initialize(swallow_exceptions=False)
    readers = import_module("farthing.instrumentation.start")._readers
    readers.append(lambda: {"a": "framework"})


def live(folder: Path) -> None:
    """The life of an agent that has started, up to SIGTERM."""
    (folder / "done").write_text(json.dumps(work()))
    atexit._run_exitfuncs()
    os.kill(os.getpid(), signal.SIGTERM)


def tried(label: str, *, is_started: bool) -> dict[str, Any]:
    """What became of an agent with that hook broken."""
    folder = Path(tempfile.mkdtemp())  # one that the agent's exit handlers leave alone
    pid = os.fork()
    if pid == 0:
        try:
            break_hook(label, folder / "reached")
            if not is_started:
                start()
            live(folder)
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    done, reached = folder / "done", folder / "reached"
    found = {
        "label": label,
        "reached": label in reached.read_text().splitlines(),
        "work": json.loads(done.read_text()) if done.exists() else None,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
    }
    shutil.rmtree(folder)
    return found


def main() -> None:
    """Those that are reached as an agent starts, one start each; then the others."""
    at_start = set(sys.argv[1:])
    for label in labels():
        if label in at_start:
            print(json.dumps(tried(label, is_started=False)), flush=True)  # noqa: T201
    start()
    for label in labels():
        if label not in at_start:
            print(json.dumps(tried(label, is_started=True)), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
