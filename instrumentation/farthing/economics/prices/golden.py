"""Calls with their published price, and how many of them the price book gets right.

A file holds one JSON object a line: `provider, model, timestamp, usage` (as in
OpenTelemetry: input includes cached tokens, output includes reasoning), `service_tier,
batch, speed, geo, region, deployment`, and what must come out: `expected_status` and
`expected_usd`, a decimal string that counts as met within 1e-9.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from farthing.economics.prices.call import Call, Cost
from farthing.economics.prices.catalogue import Catalogue
from farthing.economics.prices.cost import price
from farthing.economics.usage import Reported, UsageFlag, from_reported
from farthing.errors import ConfigError

TOLERANCE_USD = Decimal("1e-9")
_USAGE = {
    "cache_read_tokens": "cache_read",
    "cache_write_tokens": "cache_write",
    "cache_write_5m_tokens": "cache_write_5m",
    "cache_write_30m_tokens": "cache_write_5m",
    "cache_write_1h_tokens": "cache_write_1h",
    "cache_write_12h_tokens": "cache_write_1h",
    "reasoning_tokens": "reasoning",
    "input_audio_tokens": "input_audio",
    "cache_audio_tokens": "cache_audio",
    "output_audio_tokens": "output_audio",
}
_TOTALS = {"input_tokens", "output_tokens"}
_IMPOSSIBLE = {
    UsageFlag.INVALID,
    UsageFlag.CONVENTION_CONTRADICTED,
    UsageFlag.CLIPPED,
    UsageFlag.REASONING_APART,
}
_TOOLS = {"web_searches": "web_search", "file_searches": "file_search"}


@dataclass(frozen=True)
class Wrong:
    """One case that came out otherwise than published."""

    id: str
    expected: str
    got: str
    why: str


@dataclass(frozen=True)
class CheckResult:
    """How many cases of a file came out as published."""

    right: int
    of: int
    wrong: tuple[Wrong, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "right": self.right,
            "of": self.of,
            "wrong": [
                {"id": w.id, "expected": w.expected, "got": w.got, "why": w.why}
                for w in self.wrong
            ],
        }


def check(path: Path, catalogue: Catalogue) -> CheckResult:
    """Price every case of a file. Raises ConfigError for a line that is no case."""
    cases = _read(path)
    wrong = [found for case in cases if (found := _checked(case, catalogue))]
    return CheckResult(len(cases) - len(wrong), len(cases), tuple(wrong))


def _checked(case: Mapping[str, Any], catalogue: Catalogue) -> Wrong | None:
    """One case priced and judged; one that tells what we cannot read is wrong."""
    unknown = set(case["usage"]) - set(_USAGE) - _TOTALS - set(_TOOLS)
    if unknown:
        why = f"usage keys that we do not know: {', '.join(sorted(unknown))}"
        return Wrong(case["id"], _expected(case), "not priced", why)
    return _judge(case, price(call_of(case), catalogue))


def call_of(case: Mapping[str, Any]) -> Call:
    """The call that a case describes.

    The form says that input includes the cached tokens and output the reasoning ones,
    so that a part above its whole is usage that cannot be.
    """
    usage = case["usage"]
    reported = _reported(usage)
    at = datetime.fromisoformat(case["timestamp"])
    return Call(
        provider=case["provider"],
        at=at if at.tzinfo else at.replace(tzinfo=UTC),
        buckets=reported.buckets,
        response_model=case["model"],
        service_tier=case.get("service_tier") or "",
        batch=bool(case.get("batch")),
        speed=case.get("speed") or "",
        geo=case.get("geo") or "",
        region=case.get("region") or "",
        deployment=case.get("deployment") or "",
        tool_uses={_TOOLS[key]: usage[key] for key in usage if key in _TOOLS},
        invalid_usage=not _IMPOSSIBLE.isdisjoint(reported.flags),
    )


def _reported(usage: Mapping[str, int]) -> Reported:
    told: dict[str, Any] = {
        _USAGE[key]: value for key, value in usage.items() if key in _USAGE
    }
    return from_reported(
        usage.get("input_tokens"),
        usage.get("output_tokens"),
        **told,
        includes_cache=True,
    )


def _read(path: Path) -> list[dict[str, Any]]:
    cases = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            cases.append(json.loads(line))
        except ValueError as error:
            raise ConfigError(f"{path}:{number}: is not JSON: {error}") from error
    return cases


def _judge(case: Mapping[str, Any], cost: Cost) -> Wrong | None:
    status, amount = case["expected_status"], case["expected_usd"]
    why = ""
    if cost.state != status:
        why = f"state {cost.state}" + (f" ({cost.reason})" if cost.reason else "")
    elif amount is not None and cost.usd is not None:
        off = cost.usd - Decimal(amount)
        if abs(off) > TOLERANCE_USD:
            why = f"off by {off:f} USD; {_shown(cost)}"
    if not why:
        return None
    got = cost.state if cost.usd is None else f"{cost.state} {cost.usd.normalize():f}"
    return Wrong(
        id=case["id"],
        expected=_expected(case),
        got=got,
        why=why,
    )


def _expected(case: Mapping[str, Any]) -> str:
    status, amount = case["expected_status"], case["expected_usd"]
    return str(status) if amount is None else f"{status} {amount}"


def _shown(cost: Cost) -> str:
    parts = (f"{name} {usd.normalize():f}" for name, usd in cost.components_usd.items())
    return f"priced as {cost.provider}/{cost.model} ({cost.match}): {', '.join(parts)}"
