"""What the guard tells, for tests to look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farthing.instrumentation.guard.notices import Notice, on_limit


@pytest.fixture
def notices() -> Iterator[list[Notice]]:
    """What the guard tells, while a test runs."""
    told: list[Notice] = []
    end = on_limit(told.append)
    yield told
    end()
