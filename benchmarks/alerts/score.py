"""Precision and recall of a backtest against what was put in."""

from __future__ import annotations

from collections.abc import Set

from farthing.alerts.backtest import Outcome


def score(outcome: Outcome, truth: Set[str]) -> dict[str, float]:
    """How many alerts were right, and how many of what was put in were found."""
    return score_runs({incident.subject for incident in outcome.incidents}, truth)


def score_runs(found: Set[str], truth: Set[str]) -> dict[str, float]:
    """The same, of runs."""
    right = len(found & truth)
    return {
        "put_in": len(truth),
        "found": len(found),
        "precision": round(right / len(found), 4) if found else 0.0,
        "recall": round(right / len(truth), 4) if truth else 0.0,
    }
