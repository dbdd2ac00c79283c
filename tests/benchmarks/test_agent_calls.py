"""The agent benchmark's calls, each made once."""

from __future__ import annotations

from benchmarks.agent.workloads import WORKLOADS, client


def test_each_workload_can_be_called() -> None:
    """The server in memory answers what each workload asks."""
    opened = client()
    for load in WORKLOADS.values():
        load.make(opened)()
