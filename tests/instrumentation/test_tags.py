"""Tags: said in code, by the environment, by frameworks; on every span within."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Generator, Iterator

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    SimpleLogRecordProcessor,
)

from farthing import semconv
from farthing.instrumentation import step, tags, task
from farthing.instrumentation.context import own_tags
from farthing.instrumentation.tagging import TagLogRecords
from tests.instrumentation.recording import Recording, recording

CHAT = {"gen_ai.operation.name": "chat"}
TYPE, ID, STEP = semconv.TASK_TYPE, semconv.TASK_ID, semconv.STEP_NAME


@pytest.fixture
def seen() -> Iterator[Recording]:
    with recording() as found:
        yield found


def span(seen: Recording, name: str, **attributes: str) -> None:
    seen.tracer.start_span(name, attributes=attributes).end()


def test_a_task_tags_what_is_within(seen: Recording) -> None:
    """What happens in a task has its type, its id and who pays; what follows has none
    of it."""
    with task("review", id="1", business_unit="bu", team="t", user="u"):
        span(seen, "within")
    span(seen, "after")
    assert seen.named("within") == {
        TYPE: "review",
        ID: "1",
        semconv.BUSINESS_UNIT: "bu",
        semconv.TEAM: "t",
        semconv.USER: "u",
    }
    assert seen.named("after") == {}


def test_each_entry_is_a_run_of_its_own(seen: Recording) -> None:
    """A task without an id gets one that is new, each time that it is entered."""
    review = task("review")
    for name in ("one", "two"):
        with review:
            span(seen, name)
    one, two = seen.named("one")[ID], seen.named("two")[ID]
    assert one
    assert two
    assert one != two


def test_a_task_in_a_task_is_a_run_of_its_own(seen: Recording) -> None:
    """The inner task has its own type and id, and no step of the outer one; who pays is
    kept. Afterwards the outer one holds again."""
    with task("outer", id="1", team="t"), step("plan"):
        with task("inner"):
            span(seen, "inner")
        span(seen, "outer")
    assert seen.named("inner")[TYPE] == "inner"
    assert seen.named("inner")[ID] != "1"
    assert seen.named("inner")[semconv.TEAM] == "t"
    assert STEP not in seen.named("inner")
    assert seen.named("outer") == {
        TYPE: "outer",
        ID: "1",
        STEP: "plan",
        semconv.TEAM: "t",
    }


def test_code_goes_before_the_environment_and_that_before_frameworks() -> None:
    """A tag that code gives wins over the environment's, that over a framework's."""
    with recording({STEP: "env", TYPE: "env"}) as seen:
        seen.readers.append(lambda: {STEP: "node", TYPE: "flow", "x": "framework"})
        with step("code"):
            span(seen, "said")
        span(seen, "unsaid")
    assert seen.named("said") == {STEP: "code", TYPE: "env", "x": "framework"}
    assert seen.named("unsaid") == {STEP: "env", TYPE: "env", "x": "framework"}


def test_a_run_that_was_handed_over_stays_one_run() -> None:
    """In a process that works for another's run a task without an id is a step of it;
    one with an id is a run of its own."""
    with recording({TYPE: "outer", ID: "1"}) as seen:
        with task("inner", user="u"):
            span(seen, "step")
        with task("inner", id="2"):
            span(seen, "run")
    expected = {TYPE: "outer", ID: "1", STEP: "inner", semconv.USER: "u"}
    assert seen.named("step") == expected
    assert seen.named("run") == {TYPE: "inner", ID: "2"}


def test_what_an_emitter_says_itself_stays(seen: Recording) -> None:
    """A span that carries a tag of its own from the start keeps it."""
    with task("review", id="1"):
        seen.tracer.start_span("own", attributes={TYPE: "mine"}).end()
    assert seen.named("own") == {TYPE: "mine", ID: "1"}


def test_the_agents_name_is_inherited(seen: Recording) -> None:
    """A model call below an agent's span has the agent's name, through other spans."""
    agent = {"gen_ai.agent.name": "reviewer"}
    outer = seen.tracer.start_as_current_span("agent", attributes=agent)
    with outer, seen.tracer.start_as_current_span("between"):
        seen.tracer.start_span("call", attributes=CHAT).end()
    assert seen.named("call")["gen_ai.agent.name"] == "reviewer"


def test_calls_that_belong_to_nothing_are_one_run_per_process(seen: Recording) -> None:
    """Model calls without task, conversation or trace around them share a run; what is
    below one belongs to it; those in a trace or a conversation are left to it."""
    for name in ("one", "two"):
        with seen.tracer.start_as_current_span(name, attributes=CHAT):
            seen.tracer.start_span(f"below {name}").end()
    with seen.tracer.start_as_current_span("root"):
        seen.tracer.start_span("in a trace", attributes=CHAT).end()
    seen.tracer.start_span(
        "done", attributes={"gen_ai.operation.name": "outcome"}
    ).end()
    talk = {**CHAT, "gen_ai.conversation.id": "c"}
    seen.tracer.start_span("in a conversation", attributes=talk).end()
    ours = ("one", "two", "below one", "below two", "done")
    same = {str(seen.named(name)[ID]) for name in ours}
    assert len(same) == 1
    assert ID not in seen.named("in a trace")
    assert ID not in seen.named("in a conversation")


def test_functions_of_every_kind_can_be_decorated(seen: Recording) -> None:
    """A decorated function, coroutine or generator does its work with the tags, and
    returns, yields, takes and raises what it would without them."""

    @step("plain")
    def plain(name: str) -> str:
        span(seen, name)
        return name

    @step("coroutine")
    async def coroutine() -> str:
        await asyncio.sleep(0)
        span(seen, "coroutine")
        return "coroutine"

    @step("generator")
    def generator() -> Generator[str, str, None]:
        try:
            span(seen, str((yield "generator")))
        except KeyError as error:
            yield f"caught {error}"

    @step("async generator")
    async def async_generator() -> AsyncIterator[str]:
        yield "async generator"
        span(seen, "async generator")

    async def main() -> list[str]:
        await coroutine()
        return [item async for item in async_generator()]

    assert plain.__name__ == "plain"
    assert plain("plain") == "plain"
    assert asyncio.run(main()) == ["async generator"]
    told = generator()
    assert next(told) == "generator"
    assert own_tags().values == {}
    with pytest.raises(StopIteration):
        told.send("generator")
    thrown = generator()
    next(thrown)
    assert thrown.throw(KeyError("k")) == "caught 'k'"
    for name in ("plain", "coroutine", "generator", "async generator"):
        assert seen.named(name) == {STEP: name}


def test_a_scope_may_be_entered_by_many_at_once(seen: Recording) -> None:
    """Threads and tasks that share a scope do not end each other's tags."""
    shared, both_in = step("shared"), threading.Barrier(2)

    def work(name: str) -> None:
        with shared:
            both_in.wait(10)
            span(seen, name)
        span(seen, f"after {name}")

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in ("a", "b"):
        assert seen.named(name) == {STEP: "shared"}
        assert seen.named(f"after {name}") == {}


def test_an_exception_passes_through(seen: Recording) -> None:
    """What is raised within leaves the block, and the tags end."""
    with pytest.raises(KeyError), task("review"):
        raise KeyError("x")
    assert own_tags().values == {}


@pytest.mark.parametrize("value", [None, 3, "x" * 1000, "a\nb", b"\xff", object()])
def test_any_value_is_taken(seen: Recording, value: object) -> None:
    """A tag may be given anything: what is printable of it is kept, at most 256
    characters, and None is no tag."""
    with tags(user=value):  # type: ignore[arg-type]
        span(seen, "within")
    user = seen.named("within").get(semconv.USER, "")
    assert isinstance(user, str)
    assert user.isprintable()
    assert len(user) <= 256
    assert bool(user) is (value is not None)


def test_log_records_are_tagged() -> None:
    """A log record has the tags of the context in which it was emitted, and keeps its
    own attributes."""
    exporter, provider = (
        InMemoryLogRecordExporter(),
        LoggerProvider(shutdown_on_exit=False),
    )
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider._multi_log_record_processor._log_record_processors = (
        TagLogRecords([]),
        *provider._multi_log_record_processor._log_record_processors,
    )
    with task("review", id="1"):
        provider.get_logger("x").emit(body="said", attributes={"own": 1, TYPE: "mine"})
    [record] = exporter.get_finished_logs()
    assert dict(record.log_record.attributes or {}) == {"own": 1, TYPE: "mine", ID: "1"}
    provider.shutdown()


def test_threads_that_begin_at_once_are_one_run() -> None:
    """The run that a process is has one id, however many ask for it first."""
    code = (
        "import threading\n"
        "from farthing.instrumentation.context import process_run_id\n"
        "together, found = threading.Barrier(8), set()\n"
        "def ask():\n    together.wait()\n    found.add(process_run_id())\n"
        "threads = [threading.Thread(target=ask) for _ in range(8)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
        "print(len(found))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"
