"""The channel that is told when another cannot be."""

from __future__ import annotations

from dataclasses import replace

from farthing.errors import DeliveryError, Reason
from tests.alerts.delivery.notices import alert, life, notice
from tests.alerts.delivery.stepping import Book, Run, opened


def test_the_fallback_is_told_of_a_dead_letter_at_once(run: Run) -> None:
    """With the name of the channel that failed and why; and of the end, for which it
    would otherwise wait for ever."""
    first = Book(errors=[DeliveryError(Reason.UNAUTHORIZED, "")])
    second = Book()
    run.outbox.put(life())
    run.for_s(
        5,
        run.destination(opened(first, fallback="b")),
        run.destination(opened(second, name="b")),
    )
    assert [one.kind for one in second.sent] == ["trigger", "acknowledge", "resolve"]
    assert "c was not told: unauthorized" in second.sent[0].alert.summary


def test_the_fallback_is_told_of_what_takes_too_long(run: Run) -> None:
    """Five minutes of silence: also of alerts that stand behind the one that is tried;
    each once, while the first channel is tried on."""
    first = Book(errors=[DeliveryError(Reason.TIMEOUT, "")] * 12)
    second = Book()
    run.outbox.put([notice(of=alert(f"run-{n}")) for n in range(50)])
    destinations = (
        run.destination(opened(first, fallback="b")),
        run.destination(opened(second, name="b")),
    )
    run.for_s(200, *destinations)
    assert second.sent == []
    run.for_s(160, *destinations)
    assert len({one.alert.id for one in second.sent}) == len(second.sent) == 50
    run.for_s(3_600, *destinations)
    assert len(first.sent) == len(second.sent) == 50


def test_the_fallback_is_told_no_report(run: Run) -> None:
    """A weekly report is over as it is told: a pager would wait for its end."""
    first, second = Book(errors=[DeliveryError(Reason.UNAUTHORIZED, "")]), Book()
    report = replace(notice(), alert=alert(state="resolved"))
    run.outbox.put([report])
    run.for_s(
        5,
        run.destination(opened(first, fallback="b")),
        run.destination(opened(second, name="b")),
    )
    assert second.sent == []
    assert run.outbox.waiting() == 0


def test_the_fallback_hears_nothing_of_what_was_told(run: Run) -> None:
    """Where the first channel works there is nothing to say."""
    first, second = Book(), Book()
    run.outbox.put(life())
    run.for_s(
        5,
        run.destination(opened(first, fallback="b")),
        run.destination(opened(second, name="b")),
    )
    assert len(first.sent) == 4
    assert second.sent == []
    assert run.outbox.waiting() == 0
