"""Each provider's form of a conversation, read and added to."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from farthing.instrumentation.fingerprints.normalise import text_of
from farthing.instrumentation.forms import Form, form_of, newest
from tests.instrumentation import conversations
from tests.instrumentation.conversations import BAD, GOOD, Conversation

each_form = pytest.mark.parametrize(
    "make", conversations.ALL.values(), ids=conversations.ALL
)
Make = Callable[[], Conversation]
LISTS = ("messages", "input", "contents")


def form(talk: Conversation) -> Form:
    found = form_of(talk.library, talk.operation, request=talk.request)
    assert found is not None
    return found


def with_messages(talk: Conversation, messages: Any) -> dict[str, Any]:
    [name] = [name for name in LISTS if name in talk.request]
    return {**talk.request, name: messages}


@each_form
def test_the_form_is_found(make: Make) -> None:
    """A request's library and keys say which form it has."""
    talk = make()
    assert form(talk).name == make.__name__.removesuffix("_json")


@pytest.mark.parametrize(
    ("library", "operation", "request_"),
    [
        ("openai", "embeddings", {"model": "m", "input": "text"}),
        ("openai", "text_completion", {"model": "m", "prompt": "text"}),
        ("botocore", "chat", {"inputText": "text"}),
    ],
)
def test_what_is_no_conversation_has_no_form(
    library: str, operation: str, request_: dict[str, Any]
) -> None:
    """Embeddings and plain completions are not read."""
    assert form_of(library, operation, request=request_) is None


@each_form
@pytest.mark.parametrize("shape", [lambda v: v, conversations.as_objects])
def test_new_tool_results_are_joined_with_what_asked_for_them(
    make: Make, shape: Callable[[Any], Any]
) -> None:
    """Of plain JSON and of the SDKs' objects: each result has its call's id, name and
    arguments, and says whether the form calls it an error."""
    talk = make()
    messages = [shape(message) for message in form(talk).messages(talk.request)]
    turn = newest(form(talk), with_messages(talk, messages))
    assert [given.call_id for given in turn.given] == ["call_0", "call_1"]
    assert [given.name for given in turn.given] == ["weather", "weather"]
    assert turn.user_turn is False
    cities = []
    for given in turn.given:
        told = given.arguments
        if isinstance(told, str):
            told = json.loads(told)
        cities.append(told["city"] if isinstance(told, dict) else told.city)
    assert cities == ["Paris", "Oslo"]
    if make.__name__ not in ("openai_chat", "openai_responses"):
        assert [bool(given.is_error) for given in turn.given] == [False, True]


@each_form
def test_results_are_texts(make: Make) -> None:
    """What the tool returned is the same text in every form."""
    talk = make()
    texts = [text_of(given.content) for given in newest(form(talk), talk.request).given]
    assert texts[0] == GOOD
    assert BAD in texts[1]


@each_form
def test_only_what_came_after_the_models_last_message_is_new(make: Make) -> None:
    """Results that the model has answered are not told again; a person's words are."""
    talk = make()
    messages = list(form(talk).messages(talk.request))
    answered = {
        "openai_chat": {"role": "assistant", "content": "done"},
        "openai_responses": {"type": "message", "role": "assistant", "content": []},
        "anthropic": {"role": "assistant", "content": "done"},
        "gemini": {"role": "model", "parts": [{"text": "done"}]},
        "gemini_json": {"role": "model", "parts": [{"text": "done"}]},
        "bedrock": {"role": "assistant", "content": [{"text": "done"}]},
    }[make.__name__]
    request = with_messages(talk, [*messages, answered])
    assert newest(form(talk), request).given == ()
    assert newest(form(talk), request).user_turn is False
    form(talk).append(request, "and tomorrow?")
    assert newest(form(talk), request).given == ()
    assert newest(form(talk), request).user_turn is True


@each_form
def test_the_first_call_is_a_users_turn(make: Make) -> None:
    """A conversation begins with a person's words."""
    talk = make()
    messages = list(form(talk).messages(talk.request))
    first = next(i for i, m in enumerate(messages) if m.get("role") == "user")
    request = with_messages(talk, messages[: first + 1])
    assert newest(form(talk), request).user_turn is True


@each_form
def test_the_prefix_is_system_prompt_and_tools(make: Make) -> None:
    """Both are found, wherever a form has them."""
    talk = make()
    system, tools = form(talk).prefix(talk.request)
    assert conversations.SYSTEM in json.dumps(system)
    assert "weather" in json.dumps(tools)


@each_form
def test_the_bound_of_an_answer_is_found(make: Make) -> None:
    """The request's own bound, or none."""
    talk = make()
    assert form(talk).max_output(talk.request) == 100
    bare = {key: talk.request[key] for key in LISTS if key in talk.request}
    assert form(talk).max_output(bare) is None


@each_form
def test_a_message_is_added_without_touching_what_the_caller_holds(make: Make) -> None:
    """The words are the last of the request, after the tool results; the caller's own
    lists and messages stay as they were."""
    talk = make()
    before = copy.deepcopy(talk.request)
    request = dict(talk.request)
    form(talk).append(request, "wrap up")
    assert talk.request == before
    told = json.dumps(request)
    assert told.index("wrap up") > told.index(BAD)
    turn = newest(form(talk), request)
    assert [given.call_id for given in turn.given] == ["call_0", "call_1"]
    assert turn.user_turn is True


@pytest.mark.parametrize("make", [conversations.anthropic, conversations.bedrock])
def test_roles_take_turns_where_they_must(make: Make) -> None:
    """Where two user messages in a row are refused, the words join the last one."""
    talk = make()
    request = dict(talk.request)
    form(talk).append(request, "wrap up")
    assert [message["role"] for message in request["messages"]] == [
        "user",
        "assistant",
        "user",
    ]


def test_a_plain_text_can_be_added_to() -> None:
    """An input or contents that is one text becomes a list with that text first."""
    for request, library in (
        ({"input": "hello"}, "openai"),
        ({"contents": "hello"}, "google_genai"),
    ):
        found = form_of(library, "chat", request=request)
        assert found is not None
        assert newest(found, request).user_turn is True
        found.append(request, "wrap up")
        told = json.dumps(request)
        assert told.index("hello") < told.index("wrap up")


def test_iterators_are_left_to_the_sdk() -> None:
    """A request whose messages can be read once is not read by us."""
    messages = iter([{"role": "user", "content": "hello"}])
    request = {"messages": messages}
    found = form_of("openai", "chat", request=request)
    assert found is not None
    assert newest(found, request).user_turn is False
    assert next(messages)["content"] == "hello"


@pytest.mark.parametrize(
    ("make", "response"),
    [
        (conversations.openai_chat, {"choices": [{"message": {"role": "assistant",
            "content": "fine", "tool_calls": [{"id": "c", "function":
            {"name": "weather", "arguments": "{}"}}]}}]}),
        (conversations.openai_responses, {"output": [
            {"type": "message", "role": "assistant",
             "content": [{"type": "output_text", "text": "fine"}]},
            {"type": "function_call", "call_id": "c", "name": "weather",
             "arguments": "{}"}]}),
        (conversations.anthropic, {"content": [{"type": "text", "text": "fine"},
            {"type": "tool_use", "id": "c", "name": "weather", "input": {}}]}),
        (conversations.gemini, {"candidates": [{"content": {"role": "model", "parts": [
            {"text": "fine"}, {"function_call": {"id": "c", "name": "weather"}}]}}]}),
        (conversations.gemini_json, {"body": json.dumps({"candidates": [{"content": {
            "role": "model", "parts": [{"text": "hm", "thought": True},
            {"text": "fine"},
            {"functionCall": {"id": "c", "name": "weather"}}]}}]})}),
        (conversations.bedrock, {"output": {"message": {"role": "assistant",
            "content": [{"text": "fine"},
            {"toolUse": {"toolUseId": "c", "name": "weather", "input": {}}}]}}}),
    ],
    ids=conversations.ALL,
)  # fmt: skip
@pytest.mark.parametrize("shape", [lambda v: v, conversations.as_objects])
def test_replies_are_read(
    make: Make, response: Any, shape: Callable[[Any], Any]
) -> None:
    """The text of a reply, and the tools that it asks for."""
    reply = form(make()).reply(shape(response))
    assert reply.text == "fine"
    assert [(asked.call_id, asked.name) for asked in reply.asked] == [("c", "weather")]
