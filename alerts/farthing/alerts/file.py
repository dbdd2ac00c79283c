"""The file in which alerts are remembered: incidents, silences, what people wish.

SQLite, beside the spool: state and outbox change in one transaction, commands beside a
running collector use it too, and it works while the ledger's store is away.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

from farthing.alerts.incident import Incident
from farthing.alerts.policy import Silence
from farthing.errors import ConfigError

Wish = Literal["acknowledge", "resolve"]
_BUSY_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How the last evaluation of a rule went; `problem` is empty where it went well."""

    rule: str
    at: datetime
    took_ms: int
    failures: int
    problem: str


@dataclass(frozen=True, slots=True)
class Wished:
    """What a person asks of an incident."""

    number: int
    alert_id: str
    wish: Wish
    person: str


class AlertFile:
    """What is remembered, durable at the end of each outermost `transaction`.

    Threads share it. Raises ConfigError where it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._depth = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = _opened(path)
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(f"{path}: alerts cannot be kept there: {error}") from None
        self._db.row_factory = sqlite3.Row

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is written inside is written, or nothing of it."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self._db
            except BaseException:
                self._depth -= 1
                if outermost:
                    self._db.execute("ROLLBACK")
                raise
            self._depth -= 1
            if outermost:
                self._db.execute("COMMIT")

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """The rows of a question."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def open_incidents(self, rule: str | None = None) -> dict[str, Incident]:
        """Those that are not resolved, by their id; of one rule, or all."""
        sql = "SELECT told FROM incidents WHERE open AND rule = ifnull(?, rule)"
        rows = self.rows(f"{sql} ORDER BY rowid", rule)
        found = (Incident.from_json(json.loads(row["told"])) for row in rows)
        return {incident.id: incident for incident in found}

    def incident(self, beginning: str) -> Incident:
        """The incident whose id begins so. Raises ConfigError unless there is one."""
        sql = "SELECT told FROM incidents WHERE substr(id, 1, ?) = ? LIMIT 2"
        rows = self.rows(sql, len(beginning), beginning)
        if len(rows) == 1:
            return Incident.from_json(json.loads(rows[0]["told"]))
        count = "no alert has" if not rows else "several alerts have"
        raise ConfigError(
            f"{count} an id that begins with {beginning!r}: `farthing alerts list"
            " --all` shows them"
        )

    def incidents(self, *, limit: int) -> list[Incident]:
        """The open ones first, each kind the newest first."""
        sql = "SELECT told FROM incidents ORDER BY open DESC, rowid DESC LIMIT ?"
        rows = self.rows(sql, limit)
        return [Incident.from_json(json.loads(row["told"])) for row in rows]

    def save(self, incidents: Iterable[Incident], *, publish: bool = True) -> None:
        """Write incidents down; `publish` has them told to the ledger."""
        rows = [
            (i.id, i.rule, i.subject, i.is_open, i.seen_at.isoformat(), publish, told)
            for i in incidents
            for told in [json.dumps(i.to_json())]
        ]
        with self.transaction() as db:
            db.executemany(
                "INSERT INTO incidents (id, rule, subject, open, seen_at, unpublished,"
                " told) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
                " open = excluded.open, seen_at = excluded.seen_at, told ="
                " excluded.told, unpublished = unpublished OR excluded.unpublished",
                rows,
            )

    def forget(self, ids: Iterable[str]) -> None:
        """Drop incidents that came to nothing: they were pending only."""
        with self.transaction() as db:
            db.executemany("DELETE FROM incidents WHERE id = ?", [(i,) for i in ids])

    def prune(self, before: datetime) -> int:
        """Forget what was over before a moment, and what was told of it; how many."""
        with self.transaction() as db:
            gone = db.execute(
                "DELETE FROM incidents WHERE NOT open AND NOT unpublished"
                " AND seen_at < ? AND id NOT IN (SELECT alert_id FROM outbox WHERE"
                " status = 'waiting') RETURNING id",
                (before.astimezone(UTC).isoformat(),),
            ).fetchall()
            ids = [(row["id"],) for row in gone]
            db.executemany("DELETE FROM outbox WHERE alert_id = ?", ids)
            db.executemany("DELETE FROM provider_references WHERE alert_id = ?", ids)
            db.execute("DELETE FROM silences WHERE until < ?", (before.isoformat(),))
        return len(ids)

    def unpublished(self, *, limit: int = 1000) -> list[Incident]:
        """Incidents that fired of which the ledger does not know the newest."""
        sql = """
            SELECT told FROM incidents
            WHERE unpublished AND json_extract(told, '$.fired_at') IS NOT NULL LIMIT ?
        """
        rows = self.rows(sql, limit)
        return [Incident.from_json(json.loads(row["told"])) for row in rows]

    def published(self, incidents: Iterable[Incident]) -> None:
        """The ledger knows these now."""
        with self.transaction() as db:
            db.executemany(
                "UPDATE incidents SET unpublished = 0 WHERE id = ? AND seen_at = ?",
                [(i.id, i.seen_at.isoformat()) for i in incidents],
            )

    def silences(self, now: datetime) -> list[Silence]:
        """Those in force."""
        sql = "SELECT told FROM silences WHERE until > ? ORDER BY until"
        rows = self.rows(sql, now.astimezone(UTC).isoformat())
        return [Silence.model_validate_json(row["told"]) for row in rows]

    def silence(
        self,
        match: Mapping[str, tuple[str, ...]],
        *,
        until: datetime,
        made_at: datetime,
        by: str = "",
        reason: str = "",
    ) -> Silence:
        """Say nothing of what matches, until a moment."""
        made = Silence(
            id=secrets.token_hex(4),
            match=match,
            until=until.astimezone(UTC),
            by=by,
            reason=reason,
            made_at=made_at,
        )
        row = (made.id, made.until.isoformat(), made.model_dump_json())
        with self.transaction() as db:
            db.execute("INSERT INTO silences VALUES (?, ?, ?)", row)
        return made

    def end_silence(self, silence_id: str) -> None:
        """Raises ConfigError where there is no such silence."""
        with self.transaction() as db:
            ended = db.execute("DELETE FROM silences WHERE id = ?", (silence_id,))
            if not ended.rowcount:
                raise ConfigError(f"there is no silence {silence_id!r}")

    def wish(self, alert_id: str, wish: Wish, *, person: str) -> None:
        """Ask the evaluator for something."""
        with self.transaction() as db:
            db.execute(
                "INSERT INTO wishes (alert_id, wish, person) VALUES (?, ?, ?)",
                (alert_id, wish, person),
            )

    def wishes(self) -> list[Wished]:
        """What was asked for and not yet done, in order."""
        rows = self.rows("SELECT * FROM wishes ORDER BY number")
        return [Wished(*row) for row in rows]

    def granted(self, wishes: Iterable[Wished]) -> None:
        """These are done."""
        with self.transaction() as db:
            numbers = [(wished.number,) for wished in wishes]
            db.executemany("DELETE FROM wishes WHERE number = ?", numbers)

    def evaluated(self, rule: str, at: datetime, *, took_ms: int, problem: str) -> int:
        """Note how an evaluation went; how many have failed in a row."""
        row = (rule, at.isoformat(), took_ms, int(bool(problem)), problem)
        with self.transaction() as db:
            told = db.execute(
                "INSERT INTO evaluations VALUES (?, ?, ?, ?, ?) ON CONFLICT (rule) DO"
                " UPDATE SET at = excluded.at, took_ms = excluded.took_ms, problem ="
                " excluded.problem, failures = iif(excluded.problem = '', 0,"
                " failures + 1) RETURNING failures",
                row,
            )
            return int(told.fetchone()[0])

    def forget_evaluations(self, *, but: Iterable[str]) -> None:
        """Forget how evaluations went, but those of some rules."""
        kept = json.dumps(list(but))
        with self.transaction() as db:
            db.execute(
                "DELETE FROM evaluations WHERE rule NOT IN (SELECT value FROM"
                " json_each(?))",
                (kept,),
            )

    def evaluations(self) -> dict[str, Evaluation]:
        """The last evaluation of each rule."""
        rows = self.rows("SELECT * FROM evaluations")
        told = (
            Evaluation(r["rule"], datetime.fromisoformat(r["at"]), *tuple(r)[2:])
            for r in rows
        )
        return {evaluation.rule: evaluation for evaluation in told}


def _opened(path: Path) -> sqlite3.Connection:
    """A connection to the file, which has its tables. Raises sqlite3.Error."""
    db = sqlite3.connect(
        path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.executescript((files(__package__) / "file.sql").read_text(encoding="utf-8"))
    except sqlite3.Error:
        db.close()
        raise
    return db
