"""What detectors got wrong, or must get right, as runs with the verdict that is due.

Most are from complaints about shipped detectors; the docstring of each names the case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from farthing.economics.loops import Step
from tests.economics.loops.telling import called, digest, replied, spoken, turns

Verdict = str  # "", or the kinds of what is confirmed, in order, joined by "+"


@dataclass(frozen=True)
class Scenario:
    name: str
    due: Verdict
    steps: list[Step]


SCENARIOS: list[Scenario] = []


def due(verdict: Verdict) -> Callable[[Callable[[], list[Step]]], None]:
    def keep(tell: Callable[[], list[Step]]) -> None:
        SCENARIOS.append(Scenario(tell.__name__, verdict, tell()))

    return keep


bash = partial(called, "bash")


def page(number: int) -> str:
    """A result like no other: words that depend on the number alone."""
    letters = digest(f"page {number}").translate(
        str.maketrans("0123456789", "ghijklmnop")
    )
    return " ".join(
        letters[n % 16] + letters[n // 3 % 16] + letters[n * n % 16] for n in range(48)
    )


def work(count: int, *, start: int = 0) -> Iterator[Step]:
    """Healthy calls, each with another result."""
    for n in range(start, start + count):
        yield called("read_file", {"path": f"src/part_{n}.py"}, page(n))


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


@due("loop")
def polling_forever_for_the_same_result() -> list[Step]:
    return turns(
        called("read_output", {"id": 7}, "still running, no output") for _ in range(20)
    )


@due("")
def the_same_question_every_five_minutes() -> list[Step]:
    asked = [
        bash("gh run view 81", "in_progress: build, test, publish") for _ in range(8)
    ]
    return turns(replace(s, time_ns=n * 300 * 10**9) for n, s in enumerate(asked))


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


@due("loop")
def a_missing_compiler_at_a_changing_line() -> list[Step]:
    return turns(
        bash(
            f"cd /app && javac Main{n}.java",
            f"/bin/bash: line {n}: javac: command not found",
            error=True,
        )
        for n in range(6)
    )


@due("loop")
def free_text_sent_as_a_command() -> list[Step]:
    lines = (
        "bash: DISCUSSION: command not found",
        "bash: syntax error near unexpected token",
    )
    return turns(
        bash(f"DISCUSSION {page(n)}", lines[n * n % 3 % 2], error=True)
        for n in range(40)
    )


def cycle(period: int, *, rounds: int) -> list[Step]:
    return turns(
        bash(f"step {page(n)[:9]}", page(n))
        for _ in range(rounds)
        for n in range(period)
    )


@due("loop")
def a_cycle_of_six() -> list[Step]:
    return cycle(6, rounds=4)


@due("loop")
def a_cycle_of_ten() -> list[Step]:
    return cycle(10, rounds=4)


@due("")
def a_way_of_ten_calls_gone_twice() -> list[Step]:
    return cycle(10, rounds=2)


@due("loop")
def two_calls_in_turn_with_equal_results() -> list[Step]:
    return cycle(2, rounds=4)


@due("loop")
def a_loop_with_a_varying_call_in_between() -> list[Step]:
    same = called("grep", {"for": "needle"}, "src/a.py: needle was here")
    return turns(step for n in range(10) for step in (same, *work(1, start=n)))


@due("loop")
def an_edit_that_grows_the_file_each_time() -> list[Step]:
    line = "import logging  # added at the top of the file\n"
    return turns(
        called("edit", {"lines": "1:1", "text": line}, f"{line * n}{page(1)}")
        for n in range(1, 36)
    )


@due("loop")
def reworded_searches_with_one_result() -> list[Step]:
    asked = ("fix", "repair", "mend", "patch up", "solve", "cure", "correct", "restore")
    nothing = "There is nothing in the index for these words."
    return turns(
        called("search", {"q": f"how to {word} it"}, nothing) for word in asked
    )


@due("loop")
def goodbyes_of_an_agent_that_does_not_know_it_is_done() -> list[Step]:
    texts = ("Goodbye", "Have a nice day", "Bye")
    return turns(bash(f"echo {texts[n % 3]}", texts[n % 3]) for n in range(12))


@due("loop")
def a_wrong_parameter_with_the_error_in_the_result() -> list[Step]:
    said = "Error: invalid syntax (<string>, line 0)"
    return turns(called("calculator", {"a": n, "op": "+" * n}, said) for n in range(6))


@due("loop")
def a_wrong_parameter_and_an_emitter_that_sees_no_error() -> list[Step]:
    said = "Error: invalid syntax (<string>, line 0)"
    return turns(
        called("calculator", {"a": n, "op": "+" * n}, said, signs=False)
        for n in range(8)
    )


@due("loop")
def varying_arguments_and_the_same_error() -> list[Step]:
    return turns(
        called(
            "edit_file",
            {"old": page(n)},
            "String to replace was not found in file.",
            error=True,
        )
        for n in range(6)
    )


@due("loop")
def one_error_from_every_tool() -> list[Step]:
    tools = ("search", "fetch", "python", "lookup")
    return turns(
        called(
            tools[n % 4],
            {"q": page(n)},
            "upstream failed: inconsistent data",
            error=True,
        )
        for n in range(6)
    )


@due("")
def rate_limited_three_times_then_served() -> list[Step]:
    limited = called("fetch", {"url": "a"}, "Too many requests", error=True, status=429)
    return turns([limited] * 3 + [called("fetch", {"url": "a"}, page(1)), *work(3)])


@due("retry_storm")
def an_overload_told_as_a_success() -> list[Step]:
    body = '{"error": "503 service unavailable"}'
    return turns([called("fetch", {"url": "a"}, body, retryable=True)] * 10)


@due("")
def a_transcript_that_is_replayed() -> list[Step]:
    once = [replace(step, call_id=f"call_{n}") for n, step in enumerate(work(4))]
    return turns(once * 6)


@due("loop+loop")
def an_escape_and_a_second_loop() -> list[Step]:
    first = [bash("ls", "a.py\nb.py\nREADME.md")] * 12
    second = [bash("cat a.py", "print('nothing to see here')")] * 6
    return turns([*first, *work(8), *second])


@due("loop")
def one_episode_that_goes_on_and_on() -> list[Step]:
    return turns([bash("ls", "a.py\nb.py\nREADME.md")] * 60)


@due("loop")
def replies_without_tools_that_repeat_themselves() -> list[Step]:
    said = "I have finished the task. Is there anything else that I can do for you?"
    return [
        replied(said, input_tokens=900 + 30 * n, output_tokens=19) for n in range(8)
    ]


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


@due("loop")
def a_harness_that_says_the_same_after_each_reply() -> list[Step]:
    said = "Thank you, that is all that I wanted to do here, and it is done now."
    return [
        step
        for n in range(8)
        for step in (replied(said, input_tokens=50 * n), spoken("Call a tool, please."))
    ]


@due("retry_storm")
def a_model_that_is_overloaded() -> list[Step]:
    return [replied(status=529, input_tokens=900) for _ in range(8)]
