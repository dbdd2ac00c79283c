"""What the libraries' files share, without any SDK."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import wrapt

from farthing import semconv
from farthing.economics.usage import TokenBuckets, from_reported
from farthing.errors import RunStopped
from farthing.instrumentation.calls import (
    CallSettings,
    ModelCall,
    anthropic,
    bedrock,
    google_genai,
    litellm,
)
from farthing.instrumentation.calls import openai as openai_calls
from farthing.instrumentation.watching.call import Watch, is_sent
from farthing.instrumentation.watching.include_usage import Hosts, TailHidden, asked
from farthing.instrumentation.watching.once import MOST, Once
from farthing.instrumentation.watching.reading import Api, Seen
from farthing.instrumentation.watching.spans import usage_attributes
from farthing.instrumentation.watching.wrap import wrap, wrap_beneath


def call() -> ModelCall:
    return ModelCall("x", "openai", "chat", "gpt-5", "", is_streamed=False, request={})


def nothing(_answer: Any, _seen: Seen) -> None:
    return None


class Recorder:
    def __init__(self, error: Exception | None = None) -> None:
        self.told: list[str] = []
        self._error = error

    def before(self, _call: ModelCall) -> None:
        self.told.append("before")
        if self._error is not None:
            raise self._error

    def after(self, _call: ModelCall, _ended: Any) -> None:
        self.told.append("after")
        if self._error is not None:
            raise self._error


def watch(*observers: Any) -> Watch:
    return Watch(call, Api("chat", nothing, nothing), observers)


def test_an_observer_that_fails_stops_neither_the_call_nor_the_next_one() -> None:
    """Each observer is told once before and once after, whatever another one raises."""
    broken, sound = Recorder(ValueError("ours")), Recorder()
    watched = watch(broken, sound)
    watched.before()
    watched.answered({})
    assert sound.told == broken.told == ["before", "after"]


def test_only_what_the_guard_raises_stops_a_call() -> None:
    """RunStopped passes, and nobody is told of a call that was not sent."""
    sound = Recorder()
    watched = watch(Recorder(RunStopped("enough")), sound)
    with pytest.raises(RunStopped):
        watched.before()
    assert sound.told == []


def test_an_end_is_told_once() -> None:
    """A stream that is finished, then closed, then dropped has ended once."""
    seen = Recorder()
    watched = watch(seen)
    watched.answer.hear({})
    watched.finished()
    watched.left()
    watched.failed(ValueError())
    assert seen.told == ["after"]


def test_a_call_inside_another_is_told_by_the_outer_one() -> None:
    """A framework over an SDK makes one call."""
    outer, inner = Recorder(), Recorder()
    watched = watch(outer)
    with watched:
        watch(inner).answered({})
    watched.answered({})
    assert (outer.told, inner.told) == (["after"], [])


class ReadTimeout(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "sent"),
    [(ReadTimeout(), True), (KeyboardInterrupt(), True), (ValueError(), False)],
)
def test_what_may_have_been_billed(error: BaseException, sent: bool) -> None:
    """A request whose answer was not waited for may be; one that was refused is not."""
    assert is_sent(error) is sent


@pytest.mark.parametrize(
    ("words", "host", "takes"),
    [
        ("", "api.openai.com", True),
        ("", "x.openai.azure.com", True),
        ("", "gateway.example.com", False),
        ("*.example.com", "gateway.example.com", True),
        ("off", "api.openai.com", False),
    ],
)
def test_which_hosts_are_asked_for_usage(words: str, host: str, takes: bool) -> None:
    """Hosts that are known to take the option, and those that the operator names."""
    assert Hosts(CallSettings(include_usage=words)).take(host) is takes


def test_an_application_that_decided_is_left_alone() -> None:
    """Options that say whether usage is wanted stay as they are; others stay too."""
    hosts = Hosts(CallSettings())
    assert asked({"include_usage": False}, "localhost", hosts) is None
    assert asked({"x": 1}, "localhost", hosts) == {"x": 1, "include_usage": True}


def chunk(finish: str | None = None, *, usage: bool = False) -> Any:
    choices = [] if usage else [SimpleNamespace(finish_reason=finish)]
    return SimpleNamespace(choices=choices, usage=usage or None)


def test_an_error_behind_the_last_word_is_raised_in_its_turn() -> None:
    """What is read ahead does not change what the application sees, nor when."""

    def chunks() -> Iterator[Any]:
        yield chunk()
        yield chunk("stop")
        raise ReadTimeout

    stream = TailHidden(chunks())
    assert next(stream).choices[0].finish_reason is None
    assert next(stream).choices[0].finish_reason == "stop"
    with pytest.raises(ReadTimeout):
        next(stream)


def test_an_interrupt_behind_the_last_word_is_raised_at_once() -> None:
    """An application that stops reading at the last word would never hear of it."""

    def chunks() -> Iterator[Any]:
        yield chunk("stop")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        next(TailHidden(chunks()))


def test_the_tail_is_seen_and_hidden() -> None:
    """The chunk that is there for the usage alone does not reach the application."""
    read: list[Any] = []

    def chunks() -> Iterator[Any]:
        for each in (chunk(), chunk("stop"), chunk(usage=True)):
            read.append(each)
            yield each

    assert len(list(TailHidden(chunks()))) == 2
    assert read[-1].usage


class _Body:
    """As botocore's StreamingBody: after a failure there is nothing more to read."""

    def __init__(self, raw: Any, _length: int | None) -> None:
        self._raw = raw

    def read(self) -> bytes:
        raw, self._raw = self._raw, BytesIO()
        read: bytes = raw.read()
        return read


def test_a_body_that_cannot_be_read_fails_where_the_agent_reads_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """We read it first; the agent hears of the failure, not of an empty answer."""

    class Slow:
        def read(self) -> bytes:
            raise ReadTimeout

    response = ModuleType("botocore.response")
    response.StreamingBody = _Body  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "botocore", ModuleType("botocore"))
    monkeypatch.setitem(sys.modules, "botocore.response", response)
    answer, seen = {"body": _Body(Slow(), None)}, Seen()
    bedrock.APIS["InvokeModel"].answered(answer, seen)
    assert seen.attributes[semconv.USAGE_STATE] == semconv.USAGE_MISSING
    with pytest.raises(ReadTimeout):
        answer["body"].read()


def test_names_are_new_once() -> None:
    """Of very many the oldest are forgotten; an empty one is never new."""
    once = Once()
    assert [once.is_new(name) for name in ("a", "a", "")] == [True, False, False]
    for number in range(MOST):
        once.is_new(str(number))
    assert once.is_new("a")


@pytest.fixture
def module() -> Iterator[ModuleType]:
    made = ModuleType("wrapped_by_tests")

    class Client:
        def send(self) -> list[str]:
            return ["sent"]

    made.Client = Client  # type: ignore[attr-defined]
    package = ModuleType("tests_package")
    sys.modules |= {"tests_package": package, "tests_package.part": made}
    yield made
    del sys.modules["tests_package"], sys.modules["tests_package.part"]


def said(word: str) -> Any:
    def wrapper(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
        return [word, *wrapped(*args, **kwargs)]

    return wrapper


def test_what_is_wrapped_twice_is_wrapped_once(module: Any) -> None:
    """And what a release does not have is left alone."""
    for _ in range(2):
        assert wrap("tests_package", "part.Client.send", said("ours"))
    assert module.Client().send() == ["ours", "sent"]
    assert not wrap("tests_package", "part.Client.gone", said("ours"))
    assert not wrap("tests_package", "missing.Client.send", said("ours"))


def test_ours_goes_beneath_the_official_one(module: Any) -> None:
    """So that the span that it starts is current in ours."""
    wrapt.wrap_function_wrapper(module, "Client.send", said("official"))
    assert wrap_beneath("tests_package", "part.Client.send", said("ours"))
    assert wrap_beneath("tests_package", "part.Client.send", said("ours"))
    assert module.Client().send() == ["official", "ours", "sent"]


def test_buckets_survive_the_official_names() -> None:
    """What a span of ours tells, the ledger's rule takes apart into the same ones."""
    usage = TokenBuckets(
        input=50, cache_read=2000, cache_write_5m=500, cache_write_1h=200,
        output=210, reasoning=90, input_audio=16, output_audio=8,
    )  # fmt: skip
    told = usage_attributes(usage)

    def of(name: str) -> Any:
        return told.get(name)

    found = from_reported(
        of("gen_ai.usage.input_tokens"),
        of("gen_ai.usage.output_tokens"),
        cache_read=of("gen_ai.usage.cache_read.input_tokens"),
        cache_write=of("gen_ai.usage.cache_write.input_tokens"),
        cache_write_5m=of("farthing.usage.cache_write_short_tokens"),
        cache_write_1h=of("farthing.usage.cache_write_long_tokens"),
        reasoning=of("gen_ai.usage.reasoning.output_tokens"),
        input_audio=of("gen_ai.usage.audio.input_tokens"),
        output_audio=of("gen_ai.usage.audio.output_tokens"),
        includes_cache=True,
    )
    assert found.buckets == usage


READERS = [
    *(api for api in openai_calls.APIS.values()),
    *(api for api in anthropic.APIS.values()),
    *(bedrock.APIS[name] for name in ("Converse", "ConverseStream")),
    *(api for _, _, api, _ in litellm.FUNCTIONS),
    *google_genai.APIS.values(),
]
ODD: list[Any] = [
    None, {}, [], {"usage": {}}, {"usage": {"input_tokens": "many"}},
    {"usage": {"prompt_tokens": -5, "prompt_tokens_details": None}},
    {"usage": {"cache_creation": {"ephemeral_5m_input_tokens": None}}},
    {"choices": [None], "output": [None], "metadata": {"usage": {}}},
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_an_odd_answer_is_read_without_a_failure(odd: Any) -> None:
    """Whatever an answer leaves out, reading it neither fails nor makes up a count."""
    for api in READERS:
        for read in (api.answered, api.heard):
            seen = Seen()
            read(odd, seen)
            usage = seen.usage or TokenBuckets()
            assert usage.total_input + usage.total_output == 0
