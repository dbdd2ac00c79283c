"""What the demo's real agent costs."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime

from farthing.collector.demo import agent
from farthing.collector.demo.providers import serving
from farthing.economics.prices import Call, load_catalogue, price


def test_its_calls_have_a_price_in_full() -> None:
    """Each call of it is priced exactly: nothing is billed that has no rate."""
    with serving() as providers:
        url = f"{providers.url}/v1"
        subprocess.run(
            [sys.executable, agent.__file__],
            env={**os.environ, "OPENAI_BASE_URL": url, "OPENAI_API_KEY": "none"},
            check=True,
        )
        billed = list(providers.bill.items)
    costs = [
        price(
            Call(
                provider=item.provider,
                at=datetime.now(UTC),
                buckets=item.buckets,
                response_model=item.model,
            ),
            load_catalogue(),
        )
        for item in billed
    ]
    assert [(cost.missing, cost.femto_usd is None) for cost in costs] == [
        ((), False),
        ((), False),
    ]
