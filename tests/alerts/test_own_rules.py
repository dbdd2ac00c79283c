"""Rules that people write themselves: what they are told that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from farthing.alerts.evaluate import prepared
from farthing.alerts.rule import Rule, rules
from farthing.alerts.wording import BadTemplate, fill
from farthing.errors import ConfigError

FILE = """
description: Something is dear.
title: "{subject} is dear"
summary: "{value:usd}"
unit: usd
severities: [warning]
"""


def read(folder: Path, text: str = FILE) -> Rule:
    (folder / "mine.yaml").write_text(text)
    (folder / "mine.sql").write_text("SELECT 1")
    return rules(folder)["mine"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('title: "{value:eur}"', "mine.yaml: title: .*there is no unit 'eur'; there"),
        ('title: "{a.b}"', r"title: '\{a.b\}' is no template: \{a.b\} is not a name"),
        (
            'group_title: "{count} of {task_type}"',
            "group_title asks for task_type; a group has count, examples, rule: is it",
        ),
    ],
)
def test_what_is_wrong_with_a_template(tmp_path: Path, line: str, says: str) -> None:
    """Before anything fires, as far as it can be known."""
    name = line.partition(":")[0]
    kept = [each for each in FILE.splitlines() if not each.startswith(f"{name}:")]
    with pytest.raises(ConfigError, match=says):
        read(tmp_path, "\n".join([*kept, line]))


def test_a_template_asks_for_what_the_query_does_not_have() -> None:
    """The message says what it has."""
    with pytest.raises(BadTemplate, match=r"asks for \{usr\}.* there are: cost, user"):
        fill("{usr}", {"user": "ann", "cost": 1})
    with pytest.raises(BadTemplate, match="wants 'ann' as usd, and it is no number"):
        fill("{user:usd}", {"user": "ann"})


def test_a_query_may_end_as_in_a_shell() -> None:
    """With a semicolon."""
    assert prepared("SELECT 1;\n", {})[0].startswith("SELECT 1\nSETTINGS")
