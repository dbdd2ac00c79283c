"""The rule `collector`: what is wrong with the collector, and when it is over."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry

from farthing.alerts.file import AlertFile
from farthing.collector.alerting import troubles
from tests.alerts.ledger import NOW


def test_dead_letters_count_for_an_hour(file: AlertFile, tmp_path: Path) -> None:
    """However often the collector was started since, and whoever reads them when: an
    alert about them is taken back though they lie there."""
    letter = tmp_path / "1-2.pb"
    letter.touch()
    letter.with_suffix(".json").touch()

    def dead(minutes_ago: int) -> object:
        at_s = (NOW - timedelta(minutes=minutes_ago)).timestamp()
        os.utime(letter, (at_s, at_s))
        found = troubles(CollectorRegistry(), file, dead_letters=tmp_path, now=NOW)
        [reading] = [each for each in found if each["subject"] == "dead-letters"]
        return reading["value"]

    assert [dead(5), dead(59), dead(61)] == [1, 1, 0]


def test_the_end_of_a_trouble_is_told_as_one(file: AlertFile, tmp_path: Path) -> None:
    """Of rules that can be evaluated again it is not said that they cannot."""

    def words() -> object:
        found = troubles(CollectorRegistry(), file, dead_letters=tmp_path, now=NOW)
        return next(each["words"] for each in found if each["subject"] == "rules")

    for _ in range(3):
        file.evaluated("mine", NOW, took_ms=1, problem="no such table")
    assert words() == "rules cannot be evaluated: mine"
    file.evaluated("mine", NOW, took_ms=1, problem="")
    assert words() == "all rules can be evaluated again"


def test_without_a_folder_of_dead_letters_there_are_none(
    file: AlertFile, tmp_path: Path
) -> None:
    """It is made with the first."""
    nowhere = tmp_path / "dead-letters"
    found = troubles(CollectorRegistry(), file, dead_letters=nowhere, now=NOW)
    assert {each["value"] for each in found} == {0}
