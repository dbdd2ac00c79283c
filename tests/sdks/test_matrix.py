"""Every SDK of the matrix, for real, in an environment of its own.

Run by `make test-matrix`, which installs the environments; skipped otherwise.
"""

from __future__ import annotations

import pytest

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
    "watching.call:Watch.heard",
    "watching.call:Watch._end",
    "watching.call:Watch._say",
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
