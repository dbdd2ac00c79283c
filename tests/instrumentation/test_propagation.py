"""Tags over HTTP: to services of one's own, never to those that serve models."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import context as otel
from opentelemetry import trace

from farthing import semconv
from farthing.instrumentation import children, step, task
from farthing.instrumentation.context import CARRIED, carried_tags
from farthing.instrumentation.hosts import host_of, may_be_told
from farthing.instrumentation.propagation import (
    HEADER,
    TagPropagator,
    decode,
    encode,
    headers,
)
from tests.instrumentation.recording import Recording, recording

TYPE, ID, STEP = semconv.TASK_TYPE, semconv.TASK_ID, semconv.STEP_NAME
TEXT = st.text(min_size=1, max_size=256).filter(str.isprintable)


@pytest.fixture
def seen() -> Iterator[Recording]:
    with recording() as found:
        yield found


def sent(seen: Recording, url: str, *allowed: str) -> dict[str, str]:
    """The headers of a request to `url` that an instrumented client makes."""
    carrier: dict[str, str] = {}
    propagator = TagPropagator(seen.surroundings, allowed)
    client = seen.tracer.start_as_current_span("GET", attributes={"url.full": url})
    with client:
        propagator.inject(carrier)
    return carrier


def test_a_service_of_ones_own_is_told(seen: Recording) -> None:
    """A request to another service carries type and id of the task, its step and who
    pays; in that service they are the tags, and its own task is a step of that run."""
    with task("review", id="1", business_unit="a, b=c"), step("plan"):
        carrier = sent(seen, "http://billing:8080/x")
        expected = carried_tags()
    with recording({TYPE: "service", STEP: "own", semconv.TEAM: "t"}) as other:
        propagator = TagPropagator(other.surroundings, ())
        token = otel.attach(propagator.extract(carrier))
        other.tracer.start_span("served").end()
        with task("inner"):
            other.tracer.start_span("inner").end()
        otel.detach(token)
    assert other.named("served") == {**expected, semconv.TEAM: "t"}
    assert other.named("inner") == {**expected, semconv.TEAM: "t", STEP: "inner"}


def test_a_caller_without_a_step_hides_the_services_own(seen: Recording) -> None:
    """What is done for a caller's run has none of the process's own task."""
    with task("review", id="1"):
        carrier = sent(seen, "http://billing/")
    with recording({TYPE: "service", ID: "own", STEP: "own"}) as other:
        token = otel.attach(TagPropagator(other.surroundings, ()).extract(carrier))
        other.tracer.start_span("served").end()
        otel.detach(token)
    assert other.named("served") == {TYPE: "review", ID: "1"}


@pytest.mark.parametrize(
    ("host", "allowed", "is_told"),
    [
        ("billing", (), True),
        ("localhost", (), True),
        ("10.1.2.3", (), True),
        ("127.0.0.1", (), True),
        ("::1", (), True),
        ("billing.prod.svc.cluster.local", (), True),
        ("db.internal", (), True),
        ("8.8.8.8", (), False),
        ("api.github.com", (), False),
        ("api.openai.com", (), False),
        ("agents.example.com", ("*.example.com",), True),
        ("example.com.evil.org", ("*.example.com",), False),
        ("api.openai.com", ("*",), False),
        ("bedrock-runtime.eu-west-1.amazonaws.com", ("*",), False),
        ("acme.openai.azure.com", ("*.azure.com",), False),
        ("", ("*",), False),
    ],
)
def test_where_tags_may_go(host: str, allowed: tuple[str, ...], is_told: bool) -> None:
    """Tags go to hosts that can only be one's own and to those that are allowed; to a
    provider of models they never go, whatever is allowed."""
    assert may_be_told(host, allowed) is is_told


@pytest.mark.parametrize(
    ("attributes", "host"),
    [
        ({"url.full": "https://API.example.com:8443/x?y"}, "api.example.com"),
        ({"http.url": "http://user:pw@billing/"}, "billing"),
        ({"server.address": "Billing.", "server.port": 80}, "billing"),
        ({"http.host": "billing:80"}, "billing"),
        ({"net.peer.name": "::1"}, ""),
        ({}, ""),
    ],
)
def test_the_host_is_the_client_spans(attributes: dict, host: str) -> None:
    """Old and new conventions name the host; what is no host is not guessed at."""
    assert host_of(attributes) == host


def test_a_models_host_is_not_told_wherever_it_is(seen: Recording) -> None:
    """A request within a model call carries no tags, even to a host of one's own: from
    there it may go on to a provider."""
    chat = {"gen_ai.operation.name": "chat", "server.address": "gateway"}
    with (
        task("review", id="1"),
        seen.tracer.start_as_current_span("chat", attributes=chat),
    ):
        carrier: dict[str, str] = {}
        TagPropagator(seen.surroundings, ("*",)).inject(carrier)
        assert carrier == {}
        assert sent(seen, "http://gateway/v1/chat", "*") == {}


def test_without_a_clients_span_nothing_is_sent(seen: Recording) -> None:
    """Who asks for headers without saying where they go gets none; `headers()` is for
    requests to one's own services that nothing instruments."""
    with task("review", id="1"):
        carrier: dict[str, str] = {}
        TagPropagator(seen.surroundings, ("*",)).inject(carrier)
        assert carrier == {}
        assert decode(headers()[HEADER]) == {TYPE: "review", ID: "1"}
    assert headers() == {}


@given(st.dictionaries(st.sampled_from(CARRIED), TEXT))
def test_tags_survive_the_header(tags: dict[str, str]) -> None:
    """Whatever the tags are, they come out of the header as they went in, and the
    header is plain ASCII."""
    header = encode(tags)
    assert header.isascii()
    assert header.isprintable()
    if len(header) <= 4096:
        assert decode(header) == tags


@given(st.text())
def test_any_header_is_read(header: str) -> None:
    """A header from anybody yields known tags with printable values, or nothing."""
    for name, value in decode(header).items():
        assert name in CARRIED
        assert 0 < len(value) <= 256
        assert value.isprintable()


@pytest.mark.parametrize(("flags", "is_adopted"), [("01", True), ("00", False)])
def test_a_parents_span_is_adopted_if_it_is_recorded(
    flags: str, is_adopted: bool
) -> None:
    """The span that the environment names is the parent of what has none; one that is
    not recorded is not, since children of it would not be recorded either."""

    def adopted() -> bool:
        children.adopt(f"00-{'1' * 32}-{'2' * 16}-{flags}", "")
        return trace.get_current_span().get_span_context().is_valid

    assert contextvars.copy_context().run(adopted) is is_adopted
