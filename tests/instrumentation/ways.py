"""An agent's work in all the ways in which Python hands work on; each makes a span."""

from __future__ import annotations

import asyncio
import multiprocessing
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from opentelemetry import trace

from farthing.instrumentation import step, task

CHILD = "from opentelemetry import trace; trace.get_tracer('c').start_span('{}').end()"


def span(name: str) -> None:
    trace.get_tracer("ways").start_span(name).end()


FORK = multiprocessing.get_context("fork")


class Worker(FORK.Process):  # type: ignore[misc, name-defined]
    """A process that does its work in `run`, as applications write them."""

    def run(self) -> None:
        span("fork, own run")


class OwnThread(threading.Thread):
    """A thread that does its work in `run`."""

    def run(self) -> None:
        span("thread, own run")


async def ways_of_asyncio() -> None:
    async def coroutine() -> None:
        span("task")

    await asyncio.gather(coroutine())
    await asyncio.to_thread(span, "to_thread")
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, span, "executor")
    code = CHILD.format("asyncio child")
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    await child.wait()


def ways_of_threads() -> None:
    for thread in (
        threading.Thread(target=span, args=("thread",)),
        threading.Timer(0, span, ("timer",)),
        OwnThread(),
    ):
        thread.start()
        thread.join()
    with ThreadPoolExecutor(1) as pool:
        list(pool.map(span, ["pool"]))


def ways_of_processes() -> None:
    subprocess.run([sys.executable, "-c", CHILD.format("child")], check=True)
    spawn = multiprocessing.get_context("spawn")
    started: list[Any] = [
        Worker(),
        FORK.Process(target=span, args=("fork",)),
        spawn.Process(target=span, args=("spawn",)),
    ]
    for process in started:
        process.start()
    for process in started:
        process.join()
    with ProcessPoolExecutor(1, mp_context=FORK) as pool:
        pool.submit(span, "process pool").result()


def main() -> None:
    tracer = trace.get_tracer("ways")
    root = tracer.start_as_current_span("root")
    with task("review", id="run-1", user="bob"), root, step("plan"):
        span("here")
        ways_of_threads()
        ways_of_processes()
        asyncio.run(ways_of_asyncio())
    span("after")


if __name__ == "__main__":
    main()
