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
    if not request.config.getoption("--matrix"):
        pytest.skip("make test-matrix")
    if not environment.python.exists() or environment.failure.exists():
        pytest.skip("it could not be installed")
    runner: Runner = request.getfixturevalue("runner")
    tried = runner.run(f"{agent}_agent", python=str(environment.python))
    cases = outcomes(tried)
    found = {"versions": _versions(environment, agent), "cases": cases}
    table.write_results({agent: found})
    wrong = {k: v for k, v in cases.items() if v["outcome"].startswith("differs")}
    assert wrong == {}, tried.stderr
    rows = [row for case in tried.cases.values() for row in case.rows]
    attributed = {(row["task_type"], row["business_unit"]) for row in rows}
    assert attributed <= {("sdk-test", "tests")}


def _versions(environment: Environment, agent: str) -> dict[str, str]:
    """Of the agent's own packages, where an environment has several agents."""
    versions = environment.versions()
    own = {n: v for n, v in versions.items() if n.replace("-", "_") in _own(agent)}
    return own or versions


def _own(agent: str) -> tuple[str, ...]:
    return (agent, *{"bedrock": ("boto3",)}.get(agent, ()))
