"""The life of incidents, whatever happens in whatever order, by an injected clock."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from farthing.alerts.alert import Notice
from farthing.alerts.evaluate import Evaluator, Sources
from farthing.alerts.file import AlertFile
from farthing.alerts.outbox import SqliteOutbox
from farthing.alerts.policy import Policy, Route
from farthing.alerts.rule import Rule
from farthing.errors import StoreUnavailable

SUBJECTS = tuple("abcdefgh")
RULE = Rule.model_validate(
    {
        "name": "hot",
        "sql": "SELECT 1",
        "description": "Something is hot.",
        "title": "{subject} is hot",
        "summary": "{value} of {threshold}",
        "unit": "count",
        "severities": ["warning", "critical"],
        "every": 10,
        "for": 20,
        "hold": 20,
        "clear": "0.8",
        "storm_cap": 3,
        "repeat": 300,
    }
)
POLICY = Policy(
    channels={"slack": {}, "pager": {}},
    routes=(
        Route(match={"severity": ("critical",)}, channels=("pager", "slack")),
        Route(channels=("slack",)),
    ),
)


class World:
    """A rule's subjects and their temperatures, an evaluator, and what was told."""

    def __init__(self, rules: Mapping[str, Rule] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.now = datetime(2026, 11, 20, tzinfo=UTC)
        self.values: dict[str, int] = {}
        self.closing: dict[str, str] = {}
        self.is_away = False
        self.told: list[Notice] = []
        self.rules = {"hot": RULE} if rules is None else dict(rules)
        self.start()

    def start(self) -> None:
        self.file = AlertFile(self.folder / "alerts.sqlite3")
        self.outbox = SqliteOutbox(self.file)
        self.judge = Evaluator(
            POLICY, self.file, Sources(ask=self.ask), clock=lambda: self.now
        )
        self.judge.rules = self.rules

    def ask(self, _sql: str, _values: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
        if self.is_away:
            raise StoreUnavailable("away")
        return [
            {
                "subject": subject,
                "value": value,
                "threshold": 10,
                "level": int(value >= 20),
                "closing": self.closing.get(subject, ""),
            }
            for subject, value in self.values.items()
        ]

    def evaluate(self) -> None:
        for each in self.rules.values():
            self.judge.evaluate_rule(each)
        self.judge.grant_wishes()

    def deliver(self) -> None:
        """All that is due is delivered."""
        while due := self.outbox.due(self.now):
            for notice in due:
                self.told.append(notice)
                self.outbox.done(notice)

    def state(self) -> list[tuple[str, str, int]]:
        known = self.file.incidents(limit=10_000)
        return [(i.id, i.phase, i.sequence) for i in known]

    def end(self) -> None:
        self.file.close()
        shutil.rmtree(self.folder)


class Life(RuleBasedStateMachine):
    """Readings come and go, people act, the collector is killed and the store away."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    def teardown(self) -> None:
        """At the end of all things everything told is taken back, once."""
        world = self.world
        world.is_away = False
        world.values = dict.fromkeys(SUBJECTS, 0)
        for _ in range(4):
            world.now += timedelta(seconds=30)
            world.evaluate()
        world.deliver()
        assert world.file.open_incidents() == {}
        of_kind = Counter((n.alert.id, n.channel, n.kind) for n in world.told)
        for alert_id, channel, kind in of_kind:
            if kind == "trigger":
                assert of_kind[alert_id, channel, "trigger"] == 1
                assert of_kind[alert_id, channel, "resolve"] == 1
            else:
                assert of_kind[alert_id, channel, "trigger"] == 1
        world.end()

    @rule(subject=st.sampled_from(SUBJECTS), value=st.sampled_from([0, 7, 9, 12, 25]))
    def changes(self, subject: str, value: int) -> None:
        self.world.values[subject] = value
        self.world.closing.pop(subject, None)

    @rule(value=st.sampled_from([0, 12, 25]))
    def all_change(self, value: int) -> None:
        self.world.values = dict.fromkeys(SUBJECTS, value)
        self.world.closing.clear()

    @rule(subject=st.sampled_from(SUBJECTS))
    def ends(self, subject: str) -> None:
        if subject in self.world.values:
            self.world.closing[subject] = "ended"

    @rule(subject=st.sampled_from(SUBJECTS))
    def is_not_seen(self, subject: str) -> None:
        """A subject of which nothing is said keeps its incident as it is."""
        before = {i.subject: i for i in self.world.file.open_incidents().values()}
        self.world.values.pop(subject, None)
        self.world.evaluate()
        after = {i.subject: i for i in self.world.file.open_incidents().values()}
        if subject in before:
            assert after[subject].phase == before[subject].phase

    @rule(seconds=st.sampled_from([5, 15, 40, 400]))
    def time_passes(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)
        self.world.evaluate()

    @rule()
    def evaluates_again(self) -> None:
        """Without anything new, an evaluation tells nothing."""
        self.world.evaluate()
        self.world.evaluate()
        waiting = self.world.outbox.waiting()
        self.world.evaluate()
        assert self.world.outbox.waiting() == waiting

    @rule(seconds=st.sampled_from([5, 400]))
    def fails(self, seconds: int) -> None:
        """A failed evaluation changes nothing."""
        self.world.now += timedelta(seconds=seconds)
        before = self.world.state()
        self.world.is_away = True
        assert not self.world.judge.evaluate_rule(RULE)
        assert self.world.state() == before
        self.world.is_away = False

    @rule()
    def is_killed(self) -> None:
        before = self.world.state()
        self.world.file.close()
        self.world.start()
        assert self.world.state() == before

    @rule()
    def delivers(self) -> None:
        self.world.deliver()

    @precondition(lambda self: self.world.file.open_incidents())
    @rule(data=st.data())
    def is_acknowledged(self, data: st.DataObject) -> None:
        ids = sorted(self.world.file.open_incidents())
        self.world.file.wish(
            data.draw(st.sampled_from(ids)), "acknowledge", person="ann"
        )
        self.world.evaluate()

    @rule(subject=st.sampled_from(["warning", "critical"]))
    def is_silenced(self, subject: str) -> None:
        now = self.world.now
        self.world.file.silence(
            {"severity": (subject,)}, until=now + timedelta(seconds=60), made_at=now
        )

    @invariant()
    def one_open_incident_per_subject(self) -> None:
        incidents = self.world.file.open_incidents().values()
        subjects = Counter(i.subject for i in incidents)
        assert not [subject for subject, count in subjects.items() if count > 1]

    @invariant()
    def is_told_in_order(self) -> None:
        last: dict[tuple[str, str], int] = {}
        for notice in self.world.told:
            key = (notice.alert.id, notice.channel)
            assert notice.sequence > last.get(key, 0)
            last[key] = notice.sequence


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=15, stateful_step_count=30, deadline=None)
