"""Runs that shipped detectors took for loops, and other healthy ones."""

from __future__ import annotations

from dataclasses import replace

from farthing.economics.loops import Step
from tests.economics.loops.scenario import bash, cycle, due, page, work
from tests.economics.loops.telling import called, replied, spoken, turns


@due("")
def scrolling_through_a_page() -> list[Step]:
    return turns(called("scroll_down", {}, page(n)) for n in range(5))


@due("")
def polling_whose_result_changes() -> list[Step]:
    return turns(
        called("read_output", {"id": 7}, f"{n} of 90 done\n{page(n)}")
        for n in range(50)
    )


@due("")
def polling_a_few_times_for_the_same_result() -> list[Step]:
    return turns(
        called("read_output", {"id": 7}, "still running, no output") for _ in range(8)
    )


@due("")
def the_same_question_every_five_minutes() -> list[Step]:
    asked = [
        bash("gh run view 81", "in_progress: build, test, publish") for _ in range(8)
    ]
    return turns(replace(s, time_ns=n * 300 * 10**9) for n, s in enumerate(asked))


@due("")
def one_figure_for_each_of_many_things() -> list[Step]:
    return turns(
        called(
            "get_price",
            {"symbol": page(n)[:4]},
            f'{{"price": {n + 1}7.{n}, "currency": "USD", "exchange": "NYSE"}}',
        )
        for n in range(12)
    )


@due("")
def distinct_edits_with_the_same_acknowledgement() -> list[Step]:
    return turns(
        called(
            "edit_file",
            {"path": f"src/{page(n)[:12]}.py", "to": page(n)},
            "The file was edited.",
        )
        for n in range(7)
    )


@due("")
def calls_of_an_unknown_tool_that_only_acknowledges() -> list[Step]:
    return turns(
        called("mcp__db__run", {"sql": f"INSERT {page(n)}"}, '{"ok": true, "rows": 1}')
        for n in range(9)
    )


@due("")
def silent_edits_on_different_files() -> list[Step]:
    return turns(bash(f"sed -i s/a/b/ src/{page(n)[:9]}.py", "") for n in range(9))


@due("")
def tests_rerun_after_edits_with_equal_output_then_a_fix() -> list[Step]:
    failed = "FAILED test_sum.py::test_it - AssertionError: 3 != 4"
    rounds = [
        step
        for n in range(4)
        for step in (
            bash(f"sed -i {n}s/x/{page(n)[:9]}/ a.py", ""),
            bash("pytest", failed, error=True),
        )
    ]
    return turns(
        [*rounds, bash("sed -i s/3/4/ a.py", ""), bash("pytest", "12 passed in 0.4s")]
    )


@due("")
def tests_rerun_after_visible_edits_with_equal_output() -> list[Step]:
    failed = "FAILED test_sum.py::test_it - AssertionError: 3 != 4"
    return turns(
        step
        for n in range(4)
        for step in (
            called("str_replace_editor", {"new": page(n)}, f"edited:\n{page(n)}"),
            bash("pytest", failed, error=True),
        )
    )


@due("")
def parallel_reads_at_the_start() -> list[Step]:
    return [replied(), *work(5), replied("I see."), *work(3, start=5)]


@due("")
def one_turn_that_asks_the_same_many_times_at_once() -> list[Step]:
    return [
        replied(),
        *(called("ask_agent", {"q": "vote"}, "the answer is yes") for _ in range(8)),
    ]


@due("")
def parallel_calls_whose_turn_is_told() -> list[Step]:
    same = called("ask_agent", {"q": "vote"}, "the answer is yes", turn="t1")
    return [same] * 8


@due("")
def a_batch_over_thirty_files() -> list[Step]:
    return turns(work(30))


@due("")
def a_batch_of_short_equal_answers() -> list[Step]:
    return turns(
        called("get_weather", {"city": page(n)[:8]}, "sunny") for n in range(12)
    )


@due("")
def a_batch_of_checks_that_all_pass() -> list[Step]:
    return turns(
        bash(f"ruff check {page(n)[:9]}", "All checks passed!") for n in range(30)
    )


@due("")
def silent_commands_of_a_harness_that_wraps_them() -> list[Step]:
    done = "[The command completed with exit code 0, and said nothing.]"
    return turns(
        step
        for n in range(12)
        for step in (bash(f"mv {page(n)[:9]} x", done), *work(1, start=n))
    )


@due("")
def searches_that_find_nothing_a_few_times() -> list[Step]:
    return turns(
        bash(f"grep {page(n)[:9]} -r .", "exit code 1", error=True) for n in range(4)
    )


@due("")
def a_way_of_ten_calls_gone_twice() -> list[Step]:
    return cycle(10, rounds=2)


@due("")
def rate_limited_three_times_then_served() -> list[Step]:
    limited = called("fetch", {"url": "a"}, "Too many requests", error=True, status=429)
    return turns([limited] * 3 + [called("fetch", {"url": "a"}, page(1)), *work(3)])


@due("")
def a_transcript_that_is_replayed() -> list[Step]:
    once = [replace(step, call_id=f"call_{n}") for n, step in enumerate(work(4))]
    return turns(once * 6)


@due("")
def three_agents_that_talk_in_turn() -> list[Step]:
    return [
        replied(page(n), agent=f"agent {n % 3}", output_tokens=60) for n in range(12)
    ]


@due("")
def a_classifier_called_for_each_document() -> list[Step]:
    sizes = (812, 640, 1210, 455, 990, 702, 1500, 610)
    return [replied("positive", input_tokens=size, output_tokens=1) for size in sizes]


@due("")
def a_batch_whose_calls_are_told_as_text() -> list[Step]:
    return [
        replied(
            f'search_catalog({{"item": "{n}"}})',
            input_tokens=300 + 17 * n,
            output_tokens=17,
        )
        for n in range(9)
    ]


@due("")
def two_agents_that_each_look_once() -> list[Step]:
    looked = bash("cat plan.md", "the plan has three parts")
    return [
        replace(step, agent=f"worker {n}") for n in range(8) for step in turns([looked])
    ]


@due("")
def a_person_who_asks_again() -> list[Step]:
    looked = called("get_order", {"id": 7}, '{"id": 7, "state": "on its way to you"}')
    return [
        step
        for n in range(8)
        for step in (spoken(f"and now? {page(n)}"), replied(), looked, replied(page(n)))
    ]
