"""Every SDK of the matrix, for real, in an environment of its own.

Run by `make test-matrix`, which installs the environments; skipped otherwise.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

import pytest

from farthing.semconv import FINGERPRINT, TOOL_RESULTS
from tests.instrumentation.sink import Sink
from tests.matrix import table
from tests.matrix.environments import Environment, environments
from tests.sdks.outcomes import outcomes
from tests.sdks.running import Runner

RUNS = [(env, agent) for env in environments() for agent in env.agents]
IDS = [f"matrix_{env.name.replace('-', '_')}_{agent}" for env, agent in RUNS]


@pytest.mark.parametrize(("environment", "agent"), RUNS, ids=IDS)
def test_the_ledger_equals_the_bill(
    request: pytest.FixtureRequest,
    environment: Environment,
    agent: str,
) -> None:
    """Of every case the ledger has the calls and tokens that were billed, each once."""
    runner = _runner(request, environment)
    tried = runner.run(f"{agent}_agent", python=str(environment.python))
    cases = outcomes(tried)
    found = {"versions": _versions(environment, agent), "cases": cases}
    table.write_results({agent: found})
    wrong = {k: v for k, v in cases.items() if v["outcome"].startswith("differs")}
    assert wrong == {}, tried.stderr
    rows = [row for case in tried.cases.values() for row in case.rows]
    attributed = {(row["task_type"], row["business_unit"]) for row in rows}
    assert attributed <= {("sdk-test", "tests")}


BROKEN = {
    "bedrock": ("plain", "streamed", "tools", "invoked", "invoked_streamed"),
    "google_genai": ("plain", "streamed", "tools_run_by_the_sdk"),
    "langchain": ("openai_streamed", "anthropic_plain", "openai_agent"),
    "openai_agents": ("plain", "tools", "chat_streamed"),
    "mcp": ("tools",),
    "pydantic_ai": ("openai_tools", "anthropic_streamed"),
    "litellm": ("openai_plain", "anthropic_streamed", "gemini_plain"),
    "crewai": ("tools", "streamed"),
}
"""Agents and those of their cases that are run again with something of ours broken."""
BREAK = (
    "watching.call:Watch.before",
    "watching.call:Watch.answered",
    "watching.answer:Answer.hear",
    "watching.call:Watch._end",
    "watching.answer:Answer.see",
    "watching.later:_Completed",
    "tagging:TagSpans._tag",
    "watching.spans:current",
    "watching.spans:model_span",
    "watching.spans:started",
    "watching.spans:end",
)


@pytest.mark.parametrize(("environment", "agent"), RUNS, ids=IDS)
def test_what_breaks_of_ours_never_reaches_the_agent(
    request: pytest.FixtureRequest, environment: Environment, agent: str
) -> None:
    """With our own code failing inside, the application sees what it sees else."""
    runner = _runner(request, environment)
    if agent not in BROKEN:
        pytest.skip("it is tried by make test, or is a program of its own")
    python, cases = str(environment.python), BROKEN[agent]
    whole = runner.run(f"{agent}_agent", *cases, python=python)
    expected = {name: case.saw for name, case in whole.cases.items()}
    broken = runner.run_broken(f"{agent}_agent", BREAK, cases=cases, python=python)
    assert {k: saw for k, saw in broken.items() if saw != expected} == {}
    assert set(broken) == {*BREAK, "observers"}


GUARDED = {
    "bedrock": ("tools",),
    "google_genai": ("tools_run_by_the_sdk",),
    "langchain": ("openai_agent", "anthropic_agent"),
    "openai_agents": ("chat_tools",),
    "pydantic_ai": ("openai_tools",),
    "litellm": ("openai_tools",),
    "crewai": ("tools",),
}
"""Cases that make two calls, the second of which hands over a tool's result."""
TALKS = [
    pytest.param(env, agent, case, id=f"{name}-{case}")
    for (env, agent), name in zip(RUNS, IDS, strict=True)
    for case in GUARDED.get(agent, ())
]


@pytest.mark.parametrize(("environment", "agent", "case"), TALKS)
def test_a_guard_warns_or_stops(
    request: pytest.FixtureRequest, environment: Environment, agent: str, case: str
) -> None:
    """With one call allowed, a warning is logged and both calls are sent; or the second
    is not, and says why. A call of a framework over an SDK counts once."""
    runner = _runner(request, environment)
    name, python = f"{agent}_agent", str(environment.python)
    one = {"python": python, "FARTHING_BUDGET_STEPS": "1"}
    warned = runner.run(name, case, FARTHING_ON_BUDGET="warn", **one)
    assert warned.cases[case].error == ""
    assert len(warned.cases[case].billed) == 2
    assert "1 of 1" in warned.stderr
    stopped = runner.run(name, case, **one)
    assert len(stopped.cases[case].billed) == 1
    assert "BudgetExceeded" in stopped.cases[case].error + stopped.stderr


@pytest.mark.parametrize(("environment", "agent", "case"), TALKS)
def test_equal_calls_have_equal_fingerprints(
    request: pytest.FixtureRequest, environment: Environment, agent: str, case: str
) -> None:
    """What is done twice is told twice, tools' results with it, and no content is."""
    runner = _runner(request, environment)
    runner.run(f"{agent}_agent", case, case, python=str(environment.python))
    told = Sink()
    for body in runner.receiver.spool.requests:
        told.take("/v1/traces", body)
    prints = [_prints(span.attributes) for span in told.spans]
    assert any(f"{TOOL_RESULTS}result_hash" in dict(found) for found in prints)
    assert {number % 2 for found, number in Counter(prints).items() if found} == {0}
    for body in told.bodies:
        assert not re.search(rb"hello #case|word0|\brain\b", body)


def _prints(attributes: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """A span's fingerprints, but for the ids of calls, which the provider makes up."""
    return tuple(
        (name, value)
        for name, value in sorted(attributes.items())
        if name.startswith((FINGERPRINT, TOOL_RESULTS)) and "call_id" not in name
    )


def _runner(request: pytest.FixtureRequest, environment: Environment) -> Runner:
    """Skips the test where the environment is not to be used."""
    if not request.config.getoption("--matrix"):
        pytest.skip("make test-matrix")
    if not environment.python.exists() or environment.failure.exists():
        pytest.skip("it could not be installed")
    runner: Runner = request.getfixturevalue("runner")
    return runner


def _versions(environment: Environment, agent: str) -> dict[str, str]:
    """Of the agent's own packages, where an environment has several agents."""
    versions = environment.versions()
    own = {n: v for n, v in versions.items() if n.replace("-", "_") in _own(agent)}
    return own or versions


def _own(agent: str) -> tuple[str, ...]:
    return (agent, *{"bedrock": ("boto3",)}.get(agent, ()))
