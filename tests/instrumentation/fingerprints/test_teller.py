"""What a request and a reply tell, in every provider's form."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer
from opentelemetry.util.genai.completion_hook import CompletionHook
from opentelemetry.util.genai.types import (
    FunctionToolDefinition,
    InputMessage,
    OutputMessage,
    TextPart,
    ToolCallRequestPart,
    ToolCallResponsePart,
)

from farthing.instrumentation.calls import Ended, ModelCall
from farthing.instrumentation.fingerprints.hashes import Hasher
from farthing.instrumentation.fingerprints.hook import (
    FingerprintHook,
    install_teller,
    tell_of_tools,
)
from farthing.instrumentation.fingerprints.observer import FingerprintObserver
from farthing.instrumentation.fingerprints.teller import MOST_RESULTS, Teller
from farthing.instrumentation.forms import form_of
from farthing.instrumentation.hosts import Surroundings
from farthing.instrumentation.tagging import TagSpans
from farthing.instrumentation.watching.reading import Seen
from farthing.semconv import FINGERPRINT, STEP_FIELDS, TOOL_RESULTS
from tests.instrumentation import conversations
from tests.instrumentation.conversations import (
    BAD,
    GOOD,
    QUESTION,
    SYSTEM,
    Conversation,
)

each_form = pytest.mark.parametrize(
    "make", conversations.ALL.values(), ids=conversations.ALL
)
Make = Callable[[], Conversation]


@pytest.fixture
def teller() -> Teller:
    return Teller(Hasher(b"a key"))


@pytest.fixture
def exported() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exported: InMemorySpanExporter) -> Tracer:
    provider = TracerProvider()
    provider.add_span_processor(TagSpans([], Surroundings()))
    provider.add_span_processor(SimpleSpanProcessor(exported))
    return provider.get_tracer("tests")


def told(teller: Teller, talk: Conversation) -> dict[str, Any]:
    form = form_of(talk.library, talk.operation, request=talk.request)
    assert form is not None
    return dict(teller.request(form, talk.request).attributes)


@each_form
def test_every_form_tells_the_same_of_the_same(teller: Teller, make: Make) -> None:
    """Who changes the provider keeps the fingerprints of results and arguments."""
    found = told(teller, make())
    expected = told(Teller(Hasher(b"a key")), conversations.openai_chat())
    for field in ("call_id", "name", *STEP_FIELDS):
        assert found[f"{TOOL_RESULTS}{field}"] == expected[f"{TOOL_RESULTS}{field}"]
    assert found[f"{TOOL_RESULTS}error"] == ("false", "true")
    assert found[f"{FINGERPRINT}user_turn"] is False


@each_form
def test_arrays_have_one_length_and_hold_texts(teller: Teller, make: Make) -> None:
    """Readers can put the columns back into rows."""
    found = told(teller, make())
    columns = [value for name, value in found.items() if name.startswith(TOOL_RESULTS)]
    assert {len(column) for column in columns} == {2}
    assert len(columns) == 2 + len(STEP_FIELDS)
    assert all(isinstance(text, str) for column in columns for text in column)


@each_form
def test_no_content_is_told(teller: Teller, make: Make) -> None:
    """Not a word of the conversation is in what the span is given."""
    said = repr(told(teller, make()))
    for word in (GOOD, BAD, QUESTION, SYSTEM, "Paris", "Oslo", "sunny"):
        assert word not in said


@each_form
def test_a_changed_prompt_or_tool_is_another_prefix(teller: Teller, make: Make) -> None:
    """The prefix stays while system prompt and tools do, whatever the messages; also
    where the caller changes them in place."""
    talk = make()
    first = told(teller, talk)
    assert told(teller, copy.deepcopy(talk)) == first
    where = talk.request.get("config", talk.request)
    [name] = [n for n in ("tools", "toolConfig") if n in where]
    tools = where[name]["tools"] if name == "toolConfig" else where[name]
    tools[0]["description"] = "another"
    changed = told(teller, talk)
    for field in ("prefix_hash", "tools_hash"):
        assert changed[f"{FINGERPRINT}{field}"] != first[f"{FINGERPRINT}{field}"]
    assert changed[f"{FINGERPRINT}tools_len"] > first[f"{FINGERPRINT}tools_len"]


def test_only_so_many_results_are_told(teller: Teller) -> None:
    """Of very many, the newest."""
    talk = conversations.openai_chat()
    results = [
        {"role": "tool", "tool_call_id": f"c{n}", "content": "x"}
        for n in range(MOST_RESULTS + 7)
    ]
    talk.request["messages"] = [{"role": "assistant", "content": ""}, *results]
    found = told(teller, talk)[f"{TOOL_RESULTS}call_id"]
    assert (len(found), found[-1]) == (MOST_RESULTS, results[-1]["tool_call_id"])


def test_calls_without_an_id_get_one_that_a_retry_shares(teller: Teller) -> None:
    """Gemini's function responses need no id: theirs is made of place and content, so
    that a request that is sent again does not count twice, and another does."""
    talk = conversations.gemini()
    for content in talk.request["contents"][1:]:
        for part in content["parts"]:
            for call in part.values():
                del call["id"]
    first = told(teller, talk)[f"{TOOL_RESULTS}call_id"]
    assert len(set(first)) == 2
    assert told(teller, talk)[f"{TOOL_RESULTS}call_id"] == first
    talk.request["contents"] *= 2
    assert not set(told(teller, talk)[f"{TOOL_RESULTS}call_id"]) & set(first)


def call(talk: Conversation) -> ModelCall:
    return ModelCall(talk.library, "", talk.operation, "m", "", False, talk.request)


CHAT = {"gen_ai.operation.name": "chat"}
REPLY = {"choices": [{"message": {"role": "assistant", "content": "fine"}}]}


def test_the_span_of_the_call_gets_them(
    teller: Teller, tracer: Tracer, exported: InMemorySpanExporter
) -> None:
    """Where the SDK's call runs inside the model call's span, before and after."""
    observer, made = FingerprintObserver(teller), call(conversations.openai_chat())
    with tracer.start_as_current_span("chat m", attributes=CHAT):
        observer.before(made)
        observer.after(made, Ended(response=REPLY))
    [span] = exported.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes[f"{TOOL_RESULTS}name"] == ("weather", "weather")
    assert span.attributes[f"{FINGERPRINT}text_hash"] == teller.hasher.hash("fine")


def test_a_span_that_begins_inside_the_call_gets_them(
    teller: Teller, tracer: Tracer, exported: InMemorySpanExporter
) -> None:
    """Where the SDK begins its own span, the first one of a model call; a tool's span
    and the span around do not, nor does what begins after the call."""
    observer, made = FingerprintObserver(teller), call(conversations.openai_chat())
    with tracer.start_as_current_span("agent"):
        observer.before(made)
        with tracer.start_as_current_span("tool"):
            pass
        with tracer.start_as_current_span("chat 1", attributes=CHAT):
            observer.after(made, Ended(lambda: Seen(reply=["fine"])))
        with tracer.start_as_current_span("chat 2", attributes=CHAT):
            pass
    having = {
        span.name: set(span.attributes or ()) & {f"{FINGERPRINT}text_hash"}
        for span in exported.get_finished_spans()
    }
    assert [name for name, found in having.items() if found] == ["chat 1"]


def test_a_call_without_a_span_does_no_harm(teller: Teller) -> None:
    """Nothing records, nothing is said."""
    observer, made = FingerprintObserver(teller), call(conversations.openai_chat())
    observer.before(made)
    observer.after(made, Ended(response=REPLY))
    observer.after(made, Ended())


INPUTS = [
    InputMessage("system", [TextPart(SYSTEM)]),
    InputMessage("user", [TextPart(QUESTION)]),
    InputMessage(
        "assistant",
        [
            ToolCallRequestPart({"city": "Paris"}, "weather", "call_0"),
            ToolCallRequestPart({"city": "Oslo"}, "weather", "call_1"),
        ],
    ),
    InputMessage("tool", [ToolCallResponsePart(GOOD, "call_0")]),
    InputMessage("tool", [ToolCallResponsePart(BAD, "call_1")]),
]
TOOLS = [FunctionToolDefinition("weather", None, {})]
OUTPUTS = [OutputMessage("assistant", [TextPart("fine")], "stop")]


def complete(hook: FingerprintHook, inputs: Sequence[InputMessage] = INPUTS) -> None:
    hook.on_completion(
        inputs=inputs, outputs=OUTPUTS, system_instruction=[], tool_definitions=TOOLS
    )


def test_the_official_hook_tells_the_same(
    teller: Teller, tracer: Tracer, exported: InMemorySpanExporter
) -> None:
    """Where an official package sees the call and no wrapper of ours does."""
    hook = FingerprintHook(teller)
    assert isinstance(hook, CompletionHook)
    with tracer.start_as_current_span("chat m", attributes=CHAT):
        complete(hook)
    with tracer.start_as_current_span("agent"):
        complete(hook)
    span, agent = exported.get_finished_spans()
    attributes = dict(span.attributes or {})
    expected = told(Teller(Hasher(b"a key")), conversations.openai_chat())
    for field in ("call_id", "name", *STEP_FIELDS):
        assert (
            attributes[f"{TOOL_RESULTS}{field}"] == expected[f"{TOOL_RESULTS}{field}"]
        )
    assert attributes[f"{FINGERPRINT}text_hash"] == teller.hasher.hash("fine")
    assert not agent.attributes


def test_what_a_wrapper_has_told_is_left_alone(
    teller: Teller, tracer: Tracer, exported: InMemorySpanExporter
) -> None:
    """The hook adds what is missing only."""
    observer, made = FingerprintObserver(teller), call(conversations.openai_chat())
    with tracer.start_as_current_span("chat m", attributes=CHAT):
        observer.before(made)
        complete(FingerprintHook(teller), [InputMessage("user", [TextPart("x")])])
    [span] = exported.get_finished_spans()
    assert (span.attributes or {})[f"{FINGERPRINT}user_turn"] is False


def test_tool_spans_tell_their_own(
    teller: Teller, exported: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The official packages' tool spans have the fields of a step, and no content; a
    failure of ours does no harm."""
    from opentelemetry.util.genai import _tool_invocation
    from opentelemetry.util.genai.handler import TelemetryHandler

    kind: Any = _tool_invocation.ToolInvocation
    monkeypatch.setattr(kind, "_apply_finish", kind._apply_finish)
    install_teller(teller)
    assert tell_of_tools()
    assert tell_of_tools()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exported))
    handler = TelemetryHandler(tracer_provider=provider)
    for result in (BAD, None):
        invocation = handler.tool("weather")
        invocation.arguments = {"city": "Oslo"}
        invocation.tool_result = result
        invocation.stop()
    monkeypatch.setattr(teller, "tool", None)
    invocation = handler.tool("weather")
    invocation.tool_result = GOOD
    invocation.stop()
    spans = [dict(span.attributes or {}) for span in exported.get_finished_spans()]
    expected = teller.hasher.tool("weather", {"city": "Oslo"}, BAD)
    for field, value in expected._asdict().items():
        assert spans[0].get(f"{FINGERPRINT}{field}", "") == value
    assert "Oslo" not in repr(spans[0])
    assert [len(span) for span in spans[1:]] == [2, 2]
