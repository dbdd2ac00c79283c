"""What the guard's variables and its file say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from farthing.economics.budgets import RunLimits
from farthing.errors import BudgetExceeded, ConfigError
from farthing.instrumentation.guard.runs import Run
from farthing.instrumentation.guard.settings import Action, read_settings
from tests.instrumentation.guard.agents import agent


def test_nothing_set_is_off() -> None:
    """Without a variable there is no guard."""
    settings = read_settings({"FARTHING_BUDGET_USD": " "})
    assert settings.is_on is False
    assert not settings.rules("any").limits


def test_the_variables() -> None:
    """Each limit and each way to act has a variable; a budget holds unless told to
    warn only."""
    settings = read_settings(
        {
            "FARTHING_BUDGET_USD": "0.50",
            "FARTHING_BUDGET_STEPS": "40",
            "FARTHING_BUDGET_STEP_TOKENS": "100_000",
            "FARTHING_BUDGET_TOOL_RETRIES": "3",
            "FARTHING_ON_LOOP": "Warn",
        }
    )
    rules = settings.rules("any")
    assert rules.limits == RunLimits(5 * 10**14, 40, 100_000, 3)
    assert (rules.on_budget, rules.on_loop) == (Action.STOP, Action.WARN)


def test_a_file_has_limits_per_task_type(tmp_path: Path) -> None:
    """A task type's own words win over the environment, which wins over the file's
    default."""
    file = tmp_path / "budgets.json"
    data = {
        "default": {"usd": 0.1, "steps": 10},
        "task_types": {
            "code-review": {"usd": "2", "on_budget": "handback"},
            "chat": {"tool_retries": 2},
        },
    }
    file.write_text(json.dumps(data))
    settings = read_settings(
        {"FARTHING_BUDGETS_FILE": str(file), "FARTHING_BUDGET_STEPS": "20"}
    )
    assert settings.rules("other").limits == RunLimits(10**14, 20)
    assert settings.rules("code-review").limits == RunLimits(2 * 10**15, 20)
    assert settings.rules("code-review").on_budget is Action.HANDBACK
    assert settings.rules("chat").limits == RunLimits(10**14, 20, tool_retries=2)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"FARTHING_BUDGET_USD": "a lot"}, "FARTHING_BUDGET_USD: 'a lot' is no amount"),
        ({"FARTHING_BUDGET_USD": "0"}, "no amount of US dollars"),
        ({"FARTHING_BUDGET_USD": "NaN"}, "no amount of US dollars"),
        ({"FARTHING_BUDGET_STEPS": "-1"}, "no whole number above 0"),
        ({"FARTHING_BUDGET_STEPS": "1.5"}, "no whole number above 0"),
        ({"FARTHING_ON_BUDGET": "off"}, "none of warn, stop, handback"),
        ({"FARTHING_ON_LOOP": "panic"}, "none of off, warn, stop, handback"),
        ({"FARTHING_BUDGETS_FILE": "/nowhere.json"}, "cannot be read as JSON"),
    ],
)
def test_wrong_words_are_named(variables: dict[str, str], words: str) -> None:
    """The error names the variable, what it holds and what it may hold."""
    with pytest.raises(ConfigError, match="FARTHING_") as error:
        read_settings(variables)
    assert words in str(error.value)


def test_every_problem_of_a_file_is_named_at_once(tmp_path: Path) -> None:
    """Unknown sections, unknown limits and wrong words, each with its place."""
    file = tmp_path / "budgets.json"
    data = {
        "defaults": {},
        "default": {"dollars": 1},
        "task_types": {"chat": {"usd": "x"}, "other": 3},
    }
    file.write_text(json.dumps(data))
    with pytest.raises(ConfigError) as error:
        read_settings({"FARTHING_BUDGETS_FILE": str(file)})
    lines = str(error.value).splitlines()
    assert len(lines) == 4
    assert any("unknown section 'defaults'" in line for line in lines)
    assert any("unknown limit 'dollars'" in line for line in lines)
    assert any(line.startswith(f"task_types.chat.usd in {file}: ") for line in lines)
    assert any("task_types.other" in line for line in lines)


@pytest.mark.parametrize(
    ("words", "source"),
    [
        ({"default": {"steps": 1}}, "default.steps in {file}"),
        ({"task_types": {"chat": {"steps": 1}}}, "task_types.chat.steps in {file}"),
        ({"task_types": {"chat": {}}}, "FARTHING_BUDGET_STEPS"),
    ],
)
def test_a_limit_is_named_by_where_it_is_set(
    tmp_path: Path, words: dict[str, Any], source: str
) -> None:
    """Who is stopped by a word of the file is not sent to a variable, nor the other way
    round."""
    file = tmp_path / "budgets.json"
    file.write_text(json.dumps(words))
    told = {"FARTHING_BUDGETS_FILE": str(file)}
    if source.startswith("FARTHING"):
        told["FARTHING_BUDGET_STEPS"] = "1"
    worker = agent(told, run=lambda: Run(id="r", task_type="chat"))
    worker.call()
    with pytest.raises(BudgetExceeded) as stop:
        worker.call()
    assert f"Raise {source.format(file=file)} if this is too low." in str(stop.value)
