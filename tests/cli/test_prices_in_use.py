"""New prices reach a collector that runs."""

from __future__ import annotations

import signal
import time
import urllib.request
from pathlib import Path

from tests.cli.farthing_process import Up, up
from tests.settle.spans import Told, Value, request

CALL: dict[str, Value] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "acme",
    "gen_ai.request.model": "acme-1",
    "gen_ai.usage.input_tokens": 1_000_000,
    "gen_ai.usage.output_tokens": 0,
}
OURS = """prices:
  - provider: acme
    model: acme-1
    from: 2026-01-01
    usd_per_mtok: {{input: {}, output: 1}}
"""


def test_a_running_collector_takes_new_prices(tmp_path: Path) -> None:
    """A file that changes prices what comes next, by itself or at SIGHUP; what is in
    the ledger keeps its price; a broken file changes nothing and is told."""
    file = tmp_path / "prices.yaml"
    file.write_text(OURS.format(2))
    data_dir = tmp_path / "data"
    with up(data_dir, env={"FARTHING_PRICES_FILE": str(file)}) as found:
        assert cost_of_next(found, 1) == "2"
        file.write_text(OURS.format(3))
        assert cost_once_changed(found, 10, "2") == "3"
        file.write_text("prices: [")
        found.process.send_signal(signal.SIGHUP)
        told = found.process.stderr
        assert told is not None
        assert "the prices in force stay" in told.readline()
        assert cost_of_next(found, 200) == "3"
        file.write_text(OURS.format(4))
        found.process.send_signal(signal.SIGHUP)
        assert cost_once_changed(found, 300, "3") == "4"
        assert cost_of(found, 1) == "2"


def cost_once_changed(found: Up, first: int, old: str) -> str:
    """What calls cost, sent one by one until it is something else."""
    for number in range(first, first + 60):
        cost = cost_of_next(found, number)
        if cost != old:
            return cost
    return old


def cost_of_next(found: Up, number: int) -> str:
    send = urllib.request.Request(
        f"{found.running.http_url}/v1/traces",
        data=request([Told("acme", number, trace=number, attributes=CALL)]),
        headers={"Content-Type": "application/x-protobuf"},
    )
    with urllib.request.urlopen(send, timeout=10) as response:
        assert response.status == 200
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        cost = cost_of(found, number)
        if cost:
            return cost
        time.sleep(0.05)
    raise AssertionError("the call did not arrive")


def cost_of(found: Up, number: int) -> str:
    """The cost of a call in USD, empty while it is not in the ledger."""
    sql = f"SELECT toString(cost_usd) FROM spans WHERE span_id = '{number:016x}'"
    with urllib.request.urlopen(
        f"{found.running.web_url}/",
        data=sql.encode(),
        timeout=10,
    ) as response:
        return str(response.read().decode().strip())
