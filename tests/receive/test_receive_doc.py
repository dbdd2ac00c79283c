"""docs/receive.md says what the code does."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from farthing.collector.receive.meters import ReceiveMeters
from farthing.collector.receive.otlp import SIGNALS
from farthing.collector.receive.outcomes import Outcome
from farthing.collector.receive.outline import MAX_PARTS
from farthing.collector.receive.settings import Limits

DOC = (Path(__file__).parents[2] / "docs" / "receive.md").read_text()


@pytest.mark.parametrize("field", dataclasses.fields(Limits), ids=lambda f: f.name)
def test_limits(field: dataclasses.Field[object]) -> None:
    """Each limit is in the table, with its default."""
    assert f"| `{field.name}` | {field.default} |" in DOC


def test_parts() -> None:
    """The limit on spans is the code's."""
    assert f"{MAX_PARTS:,} spans" in DOC


@pytest.mark.parametrize("outcome", Outcome)
def test_outcomes(outcome: Outcome) -> None:
    """Each outcome has a line; its HTTP status is the code's."""
    line = re.search(rf"^\| `{outcome.label}` \| (\d*) ?\|", DOC, re.MULTILINE)
    assert line
    assert line[1] in (str(outcome.http_status), "")


def test_addresses() -> None:
    """Each signal's path and each page is listed."""
    for path in (*(s.http_path for s in SIGNALS), "/healthz", "/readyz", "/metrics"):
        assert f" {path}`" in DOC


def test_metrics() -> None:
    """Each metric is listed by the name it is exposed under."""
    registry = CollectorRegistry()
    ReceiveMeters.register(registry)
    for metric in registry.collect():
        suffix = "_total" if metric.type == "counter" else ""
        assert f"`{metric.name}{suffix}`" in DOC
