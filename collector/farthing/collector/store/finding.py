"""A finding of the watch, as the table `findings` holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFinding:
    """One episode. The fields are the table's columns, which say what they mean
    (`sql/0005_findings.sql`); times are UTC."""

    run_id: str
    agent: str
    kind: str
    episode: int
    version: int
    level: str
    pattern: str
    period: int
    why: str
    ongoing: bool
    first_time: datetime
    at_time: datetime
    last_time: datetime
    first_trace_id: str
    first_span_id: str
    last_trace_id: str
    last_span_id: str
    span_ids: tuple[str, ...]
    steps: int
    calls: int
    tokens: int
    cost_usd: Decimal
    unpriced_calls: int
    task_type: str
    business_unit: str
    team: str
    user: str
    service: str
    environment: str

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What names a finding, whatever else is said of it."""
        return (self.run_id, self.agent, self.kind, self.episode)

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Self:
        """From a row of a query for COLUMNS."""
        told = {name: row[name] for name in COLUMNS}
        for name in _TIMES:
            told[name] = row[name].replace(tzinfo=UTC)
        return cls(**{**told, "span_ids": tuple(row["span_ids"])})

    def line(self) -> list[Any]:
        """The values of COLUMNS, as `Store.insert` takes them."""
        return [
            value.replace(tzinfo=None).isoformat(" ")
            if isinstance(value, datetime)
            else value
            for value in _values(self)
        ]


COLUMNS: Final = tuple(field.name for field in fields(StoredFinding))
_TIMES: Final = ("first_time", "at_time", "last_time")
_values: Final = attrgetter(*COLUMNS)
