from __future__ import annotations

import os

import pytest

from tests.sdks.running import Runner


@pytest.mark.parametrize("agent", os.environ.get("TRY", "").split(","))
def test_try(runner: Runner, agent: str) -> None:
    name, python = agent.split("@")
    tried = runner.run(f"{name}_agent", python=f"/tmp/sdks/{python}/bin/python")
    print(tried.stderr[-3000:])
    wrong = {case.name: case.differences() for case in tried.cases.values()}
    for case in tried.cases.values():
        print(
            case.name,
            case.saw,
            case.error,
            "billed",
            len(case.billed),
            [(r["scope"], r["cost_state"], r["n"]) for r in case.rows],
        )
    for c, w in wrong.items():
        print("WRONG", c, w) if w else 0
    assert not {k for k, v in wrong.items() if v}
