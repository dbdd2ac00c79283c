"""The OpenAI and Anthropic SDKs, for real: what is in the ledger is what was billed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sdks.running import Runner, Tried

SDKS = ("openai", "anthropic")


@pytest.fixture(scope="session")
def tried(runner: Runner) -> Iterator[dict[str, Tried]]:
    """Each agent, run once."""
    yield {sdk: runner.run(f"{sdk}_agent") for sdk in SDKS}


@pytest.mark.parametrize("sdk", SDKS)
def test_the_ledger_equals_the_bill(tried: dict[str, Tried], sdk: str) -> None:
    """Of every case the ledger has the calls and tokens that were billed, to the token,
    each call once; and says of which calls it does not know all."""
    wrong = {case.name: case.differences() for case in tried[sdk].cases.values()}
    assert {name: found for name, found in wrong.items() if found} == {}
    assert "farthing:" not in tried[sdk].stderr, tried[sdk].stderr
