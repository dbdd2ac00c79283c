"""Exit codes and errors of every command."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from farthing.cli import COMMANDS, main
from farthing.errors import BadPayload, ConfigError
from tests.cli.farthing_process import ANY_PORTS, environment, farthing


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    """Each command has help; its options say what they mean."""
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0, result.output
    for command in _commands(importlib.import_module(f"farthing.cli.{name}").command):
        assert command.help
        for param in command.params:
            assert isinstance(param, click.Argument) or vars(param)["help"]


def _commands(command: click.Command) -> list[click.Command]:
    if isinstance(command, click.Group):
        return [command, *command.commands.values()]
    return [command]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nosuch"], "No such command 'nosuch'"),
        (["report", "--by", "nonsense"], "is not one of 'task_type'"),
        (["report", "--since", "yesterday"], "neither like 7d or 24h"),
        (["report", "--since", "2999-01-01"], "is in the future"),
        (["runs", "--limit", "0"], "0 is not in the range"),
        (["run"], "show"),
        (["run", "show"], "Missing argument 'RUN_ID'"),
        (["replay"], "Missing argument 'FILES...'"),
        (["replay", "nosuch.pb"], "does not exist"),
        (["up", "--config", "nosuch.yaml"], "nosuch.yaml: cannot be read"),
        (["up", "--store", "mysql://u:sesame@h/x"], "is not understood"),
        (["up", "--http-listen", "4318"], "is not host:port"),
    ],
)
def test_a_wrong_question_ends_with_2(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was asked wrongly is said in words, without a traceback and with 2."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert told in result.output
    assert "Traceback" not in result.output
    assert "sesame" not in result.output


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ConfigError("say so"), 2, "farthing: say so\n"),
        (BadPayload("no"), 1, "farthing: no\n"),
        (PermissionError(13, "Permission denied", "/x"), 1,
         "farthing: /x: Permission denied\n"),
        (OSError(28, "No space left on device"), 1,
         "farthing: No space left on device\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)  # fmt: skip
def test_an_error_is_one_line_and_a_code(
    error: BaseException, code: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors that a person can do something about are one line; Ctrl-C is none."""

    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setattr(importlib.import_module("farthing.cli.sql"), "command", failing)
    result = CliRunner().invoke(main, ["sql"])
    assert (result.exit_code, result.output) == (code, told)


def test_help_needs_the_base_install_only() -> None:
    """`farthing --help` loads no command, so that it works where agents run."""
    program = (
        "import sys; from click.testing import CliRunner;"
        "from farthing.cli import main;"
        "CliRunner().invoke(main, ['--help'], catch_exceptions=False);"
        "print({'rich', 'pydantic', 'yaml', 'chdb'} & set(sys.modules))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
    )
    assert ended.stdout == "set()\n"


def test_a_missing_package_says_what_to_install() -> None:
    """Without the collector's packages, a command names what to install; it was never
    asked, so its answer is no bad news."""
    program = (
        "import sys; sys.modules['rich'] = None;"
        "from farthing.cli import main; main(['report'])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert ended.returncode == 2
    assert "`farthing report` needs the collector: pip install" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("words", "meant"),
    [(["repot"], "report"), (["report", "--by", "task-type"], "task_type")],
)
def test_a_misspelt_word_is_answered_with_what_was_meant(
    words: list[str], meant: str
) -> None:
    """A command or a choice that resembles a known one is told with its right name."""
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert f"did you mean {meant}?" in result.stderr


@pytest.mark.parametrize("setting", ["ALERTS_FILE", "BUDGETS_FILE", "PRICES_FILE"])
def test_a_broken_file_is_told_with_the_place(setting: str, tmp_path: Path) -> None:
    """What is no YAML is told with file, line, column and the parser's problem."""
    path = tmp_path / "broken.yaml"
    path.write_text("a: 1\nb: ]\n")
    settings = {f"FARTHING_{setting}": str(path)}
    result = farthing("up", "--data", tmp_path / "data", *ANY_PORTS, env=settings)
    assert result.returncode == 2
    assert f"{path}:2:4: is not valid YAML: " in result.stderr
    assert "unicode string" not in result.stderr
