"""What the watch tells Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram

from farthing.collector.store.finding import StoredFinding


@dataclass(frozen=True)
class Meters:
    """Counters of this process; the table `findings` is what is true for all."""

    findings: Counter
    wasted_usd: Counter
    runs: Counter
    seconds: Histogram

    @classmethod
    def register(cls, registry: CollectorRegistry) -> Meters:
        return cls(
            findings=Counter(
                "farthing_findings",
                "Episodes without progress that reached a level",
                ["kind", "level", "task_type"],
                registry=registry,
            ),
            wasted_usd=Counter(
                "farthing_wasted_usd",
                "What confirmed loops and retry storms cost since they began, as far"
                " as it is known",
                ["kind", "task_type"],
                registry=registry,
            ),
            runs=Counter(
                "farthing_watched_runs", "Runs that were judged", registry=registry
            ),
            seconds=Histogram(
                "farthing_watch_seconds",
                "Time to watch a batch, or all that waited",
                registry=registry,
            ),
        )

    def count(
        self,
        new: Iterable[StoredFinding],
        known: Mapping[tuple[str, str, str, int], StoredFinding],
    ) -> None:
        """Count what is found for the first time, and what known findings cost more."""
        for found in new:
            before = known.get(found.key)
            if before is None or before.level != found.level:
                self.findings.labels(found.kind, found.level, found.task_type).inc()
            if found.level == "confirmed":
                was = before is not None and before.level == "confirmed"
                more = found.cost_usd - (before.cost_usd if before and was else 0)
                if more > 0:
                    wasted = self.wasted_usd.labels(found.kind, found.task_type)
                    wasted.inc(float(more))
