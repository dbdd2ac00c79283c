"""What waits to be told, in the alerts' file: at least once, in order, never lost."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from farthing.alerts.alert import Alert, Notice
from farthing.alerts.file import AlertFile

_HEADS: Final = """
    SELECT * FROM outbox AS o WHERE status = 'waiting' AND NOT EXISTS (
        SELECT 1 FROM outbox AS before
        WHERE before.status = 'waiting' AND before.alert_id = o.alert_id
            AND before.channel = o.channel AND before.sequence < o.sequence
    )
"""
"""Of each alert and channel the first notice that waits."""
_FIRST: Final = f"SELECT min(next_try) FROM ({_HEADS})"  # noqa: S608 - all is ours


class SqliteOutbox:
    """The `Outbox` of an alerts' file; notices that are put in a transaction of the
    file are there when it ends."""

    def __init__(self, file: AlertFile) -> None:
        self._file = file

    def put(self, notices: Sequence[Notice]) -> None:
        rows = [
            (
                notice.key,
                notice.alert.id,
                notice.channel,
                notice.sequence,
                notice.kind,
                json.dumps(notice.alert.to_json()),
                _text(notice.next_try),
                notice.attempts,
            )
            for notice in notices
        ]
        with self._file.transaction() as db:
            db.executemany(
                "INSERT OR IGNORE INTO outbox (key, alert_id, channel, sequence, kind,"
                " alert, next_try, attempts, status, reason)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting', '')",
                rows,
            )

    def due(self, now: datetime, *, limit: int = 100) -> Sequence[Notice]:
        sql = f"{_HEADS} AND next_try <= ? ORDER BY number LIMIT ?"
        return self._notices(sql, _text(now), limit)

    def next_due(self) -> datetime | None:
        [(first,)] = self._file.rows(_FIRST)
        return None if first is None else datetime.fromisoformat(first)

    def done(
        self,
        notice: Notice,
        reference: Mapping[str, str] | None = None,
        *,
        then: Sequence[Notice] = (),
    ) -> None:
        with self._file.transaction() as db:
            _end(db, notice, "done", "")
            self.put(then)
            if reference is not None:
                db.execute(
                    "INSERT OR REPLACE INTO provider_references VALUES (?, ?, ?)",
                    (notice.alert.id, notice.channel, json.dumps(dict(reference))),
                )

    def failed(self, notice: Notice, reason: str, *, retry_at: datetime) -> None:
        with self._file.transaction() as db:
            db.execute(
                "UPDATE outbox SET attempts = attempts + 1, reason = ?, next_try = ?"
                " WHERE key = ? AND status = 'waiting'",
                (reason, _text(retry_at), notice.key),
            )

    def dead(self, notice: Notice, reason: str) -> None:
        with self._file.transaction() as db:
            _end(db, notice, "dead", reason)

    def reference(self, alert_id: str, channel: str) -> Mapping[str, str]:
        sql = "SELECT told FROM provider_references WHERE alert_id = ? AND channel = ?"
        rows = self._file.rows(sql, alert_id, channel)
        return dict(json.loads(rows[0]["told"])) if rows else {}

    def firing(self, channel: str) -> Sequence[Alert]:
        sql = """
            SELECT alert, max(sequence) FROM outbox AS o
            WHERE channel = ? AND status = 'done' AND NOT EXISTS (
                SELECT 1 FROM outbox AS later WHERE later.alert_id = o.alert_id
                    AND later.channel = o.channel AND later.kind = 'resolve'
            )
            GROUP BY alert_id ORDER BY min(number)
        """
        rows = self._file.rows(sql, channel)
        return [Alert.from_json(json.loads(row["alert"])) for row in rows]

    def waiting(self) -> int:
        """How many notices are not told yet."""
        sql = "SELECT count(*) FROM outbox WHERE status = 'waiting'"
        return int(self._file.rows(sql)[0][0])

    def dead_letters(self, *, limit: int = 100) -> Sequence[Notice]:
        sql = "SELECT * FROM outbox WHERE status = 'dead' ORDER BY number DESC LIMIT ?"
        return self._notices(sql, limit)

    def dead_since(self, since: datetime) -> int:
        """How many became dead letters since a moment."""
        sql = "SELECT count(*) FROM outbox WHERE status = 'dead' AND ended_at >= ?"
        return int(self._file.rows(sql, _text(since))[0][0])

    def _notices(self, sql: str, *values: object) -> list[Notice]:
        return [_notice(row) for row in self._file.rows(sql, *values)]


def _end(db: sqlite3.Connection, notice: Notice, status: str, reason: str) -> None:
    db.execute(
        "UPDATE outbox SET status = ?, reason = ?, ended_at = ?"
        " WHERE key = ? AND status = 'waiting'",
        (status, reason, _text(datetime.now(UTC)), notice.key),
    )


def _notice(row: sqlite3.Row) -> Notice:
    return Notice(
        alert=Alert.from_json(json.loads(row["alert"])),
        channel=row["channel"],
        kind=row["kind"],
        next_try=datetime.fromisoformat(row["next_try"]),
        attempts=row["attempts"],
        reason=row["reason"],
    )


def _text(moment: datetime) -> str:
    """Texts of one form, so that they compare as the moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
