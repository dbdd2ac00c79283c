"""Runs that make no progress, most of which shipped detectors do not see."""

from __future__ import annotations

from farthing.economics.loops import Step
from tests.economics.loops.scenario import bash, cycle, due, page, work
from tests.economics.loops.telling import called, replied, spoken, turns


@due("loop")
def polling_forever_for_the_same_result() -> list[Step]:
    return turns(
        called("read_output", {"id": 7}, "still running, no output") for _ in range(20)
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


@due("loop")
def a_cycle_of_six() -> list[Step]:
    return cycle(6, rounds=4)


@due("loop")
def a_cycle_of_ten() -> list[Step]:
    return cycle(10, rounds=4)


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


@due("retry_storm")
def an_overload_told_as_a_success() -> list[Step]:
    body = '{"error": "503 service unavailable"}'
    return turns([called("fetch", {"url": "a"}, body)] * 10)


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


def reworded(count: int) -> list[Step]:
    """Twenty pages read, then reworded searches that bring the like of before."""
    steps = []
    for n in range(count):
        steps.append(replied(input_tokens=2_000 + 100 * n, output_tokens=50))
        if n < 20:
            steps.append(called("fetch", {"url": page(n)}, page(n)))
        else:
            asked = f"which of the suppliers has ever delivered late, try {n}"
            steps.append(called("search", {"q": asked}, f"{page(100)} {n}"))
    return steps
