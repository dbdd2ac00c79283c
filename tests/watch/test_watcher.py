"""What is found in the ledger, and what it says."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from farthing.collector.demo.tell import Attributes
from farthing.economics.loops import Step
from tests.economics.loops.telling import called, digest
from tests.watch.conftest import Watched
from tests.watch.spans import (
    SAME,
    Told,
    asked,
    helped,
    read,
    run_of,
    tools_in_calls,
    used,
)

STUCK = [read(0), read(1), *[SAME] * 12]
A_CALL_USD = Decimal("0.00225")  # 1,000 tokens at $1.25, 100 at $10 a million


def test_a_finding_says_what_since_when_and_at_what_cost(watched: Watched) -> None:
    """A loop is one line with pattern, spans, model calls, tokens and dollars since the
    first repetition, and whose they are."""
    watched.load([*run_of("stuck", STUCK), *run_of("well", map(read, range(14)))])
    [found] = watched.findings()
    first, last = "tool 3", "tool 13"
    assert (found["run_id"], found["agent"]) == ("stuck", "reviewer")
    assert (found["kind"], found["level"], found["episode"]) == ("loop", "confirmed", 1)
    assert found["why"].startswith("11 more calls of run_tests")
    assert found["ongoing"]
    assert found["first_span_id"] == digest(f"stuck {first}")
    assert found["last_span_id"] == digest(f"stuck {last}")
    assert found["span_ids"][-1] == found["last_span_id"]
    assert (found["last_time"] - found["first_time"]).total_seconds() == 100
    assert (found["steps"], found["calls"], found["tokens"]) == (11, 10, 11_000)
    assert (found["cost_usd"], found["unpriced_calls"]) == (10 * A_CALL_USD, 0)
    assert (found["task_type"], found["business_unit"]) == ("review", "platform")


def test_tools_without_spans_are_seen_through_model_calls(watched: Watched) -> None:
    """Where nothing emits tool spans, what model calls say of the results that they
    were handed is enough; told both ways, a call counts once."""
    both = [told for told in run_of("both", STUCK) if told.name.startswith("tool")]
    both += tools_in_calls("both", STUCK)
    watched.load([*tools_in_calls("calls", STUCK), *both])
    found = watched.findings("run_id, steps")
    assert [(row["run_id"], row["steps"]) for row in found] == [
        ("both", 11),
        ("calls", 11),
    ]


def test_without_fingerprints_failures_are_seen(watched: Watched) -> None:
    """Of an emitter that tells no fingerprints, a tool that fails the same way again
    and again is still found, later; calls that succeed say nothing."""
    bare = [
        replace(t, attributes=_bare(t.attributes))
        for t in run_of("bare", [replace(SAME, error=True)] * 12)
    ]
    healthy = [
        replace(t, attributes=_bare(t.attributes)) for t in run_of("well", [SAME] * 12)
    ]
    watched.load([*bare, *healthy])
    [found] = watched.findings()
    assert (found["run_id"], found["pattern"]) == ("bare", "same_error")


def _bare(attributes: Attributes) -> Attributes:
    return {k: v for k, v in attributes.items() if "fingerprint" not in k}


def test_a_refused_model_is_a_retry_storm(watched: Watched) -> None:
    """Calls that the provider refuses in a row are a retry storm, not a loop."""
    refused = [
        replace(
            asked("limited", f"chat {n}", 2.0 * n),
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-5",
                "error.type": "openai.RateLimitError" if n % 2 else "429",
            },
        )
        for n in range(8)
    ]
    watched.load(refused)
    assert [(r["kind"], r["level"]) for r in watched.findings()] == [
        ("retry_storm", "confirmed")
    ]


def test_a_refusal_told_as_a_success_is_a_retry_storm(watched: Watched) -> None:
    """A 503 in the body of a call that claims to have worked is the other side's, too,
    whoever tells of it: the tool's own span, or the model call that is handed it."""
    body = '{"error": "503 service unavailable"}'
    refused = [called("fetch", f"page {n}", body) for n in range(10)]
    watched.load([*run_of("spans", refused), *tools_in_calls("calls", refused)])
    assert watched.findings("run_id, kind, level") == [
        {"run_id": run_id, "kind": "retry_storm", "level": "confirmed"}
        for run_id in ("calls", "spans")
    ]


def test_a_person_who_speaks_begins_anew(watched: Watched) -> None:
    """A question after each answer is no loop, however often it is the same."""
    spoken: list[Told] = []
    for n in range(8):
        more = {"farthing.fingerprint.user_turn": True}
        spoken.append(asked("chat", f"chat {n}", 10.0 * n, **more))
        spoken.append(used("chat", f"tool {n}", 10.0 * n + 5, SAME))
    watched.load(spoken)
    assert watched.findings() == []


def test_an_episode_ends_and_another_begins(watched: Watched) -> None:
    """After progress the episode has ended and costs no more; a new loop in the same
    run is a finding of its own."""
    other = called("grep", "needle", "src/a.py: this is where the needle was found")
    steps = [*[SAME] * 6, *map(read, range(8)), *[other] * 6]
    watched.load(run_of("twice", steps))
    found = watched.findings("episode, ongoing, calls, first_span_id")
    assert [(row["episode"], row["ongoing"], row["calls"]) for row in found] == [
        (1, False, 4),
        (2, True, 4),
    ]
    assert found[1]["first_span_id"] == digest("twice tool 15")


def test_spans_that_come_late_can_withdraw_a_finding(watched: Watched) -> None:
    """Where what comes late shows that there was progress after all, the finding is
    withdrawn, in every report."""
    early = run_of("late", [SAME] * 4)
    between = [
        used("late", f"between {n} {k}", 10.0 * n + 6 + k / 9, read(9 * n + k))
        for n in range(4)
        for k in range(3)
    ]
    watched.load(early)
    assert len(watched.findings()) == 1
    watched.load(between)
    assert watched.findings() == []
    [row] = watched.store.rows("SELECT level FROM findings FINAL")
    assert row["level"] == "withdrawn"


def test_a_run_far_beyond_its_kind_is_stalled(watched: Watched) -> None:
    """Against twenty earlier runs of the same kind, a run that takes much more, grows,
    and brings back the like of before is suspected to be stalled."""
    usual = [
        told
        for n in range(20)
        for told in run_of(f"usual {n}", map(read, range(12)), start_s=-8000 + n)
    ]
    watched.load(usual, watch=False)
    spans = run_of("slow", [*map(read, range(20)), *map(_reworded, range(30))])
    grown = [
        replace(
            t, attributes={**t.attributes, "gen_ai.usage.input_tokens": 900 + n * 50}
        )
        if t.name.startswith("chat")
        else t
        for n, t in enumerate(spans)
    ]
    watched.load(grown)
    [found] = watched.findings()
    assert (found["kind"], found["level"]) == ("stalled", "suspected")
    assert "99 of 100 such runs" in found["why"]


def test_an_agent_that_is_asked_far_too_often_is_stalled(watched: Watched) -> None:
    """The same where a run calls no tools but another agent: of its calls only their
    number and whom they ask is known."""
    usual = [told for n in range(20) for told in asking(f"usual {n}", 3, -8000 + n)]
    watched.load(usual, watch=False)
    spans = asking("asking", 60, 0)
    watched.load(spans[:100])
    watched.load(spans[100:])
    [found] = watched.findings()
    assert (found["kind"], found["run_id"]) == ("stalled", "asking")
    assert "calls of agents" in found["why"]


def asking(run: str, times: int, start_s: float) -> list[Told]:
    """A run whose prompts grow by what a helper answers, who is asked so many times."""
    told = []
    for n in range(times):
        at_s = start_s + 10 * n
        tokens = {"gen_ai.usage.input_tokens": 900 + 50 * n}
        told.append(asked(run, f"chat {n}", at_s, **tokens))
        told.append(helped(run, f"helper {n}", at_s + 5))
    return told


def _reworded(number: int) -> Step:
    words = f"which of our suppliers has ever been late with a delivery {number}"
    return called("search", words, f"{digest('the same page')} " * 30 + str(number))


def test_metrics_count_what_is_new(watched: Watched) -> None:
    """Prometheus gets a count per finding and level, and what loops cost more since."""
    spans = run_of("stuck", STUCK)
    of_kind = {"kind": "loop", "task_type": "review"}
    confirmed = {**of_kind, "level": "confirmed"}
    watched.load(spans[:16])
    assert watched.metric("farthing_findings_total", **confirmed) == 1
    before = watched.metric("farthing_wasted_usd_total", **of_kind)
    watched.load(spans[16:])
    assert watched.metric("farthing_findings_total", **confirmed) == 1
    after = watched.metric("farthing_wasted_usd_total", **of_kind)
    assert before is not None
    assert after is not None
    assert abs(after - float(10 * A_CALL_USD)) < 1e-9
    assert before < after
    assert watched.metric("farthing_watch_seconds_count") == 2


def test_run_ids_of_any_length_do_not_hold_up_the_watch(watched: Watched) -> None:
    """Many long run ids are asked for in several queries; one longer than any query is
    left alone, and the runs beside it are watched all the same."""
    long = [f"{number:03} {'x' * 5_000}" for number in range(100)]
    spans = [told for run in long for told in run_of(run, [SAME])]
    watched.load([*spans, *run_of("y" * 300_000, STUCK), *run_of(long[0], STUCK)])
    assert [row["run_id"] for row in watched.findings()] == [long[0]]


def test_a_number_that_no_length_has_is_not_known(watched: Watched) -> None:
    """A fingerprint's length of thousands of digits, which Python refuses to read."""
    absurd = {"farthing.fingerprint.args_len": "9" * 5_000}
    spans = [
        replace(told, attributes={**told.attributes, **absurd})
        for told in run_of("stuck", STUCK)
    ]
    watched.load(spans)
    assert [row["run_id"] for row in watched.findings()] == ["stuck"]
