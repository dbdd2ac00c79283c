"""`farthing`: the command line.

Each command is a module of this package and is imported when it is called, so that
`farthing --help` and what agents use need no more than the base install.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from typing import NoReturn

import click

from farthing.cli.options import did_you_mean
from farthing.errors import ConfigError, FarthingError

COMMANDS = {
    "alerts": "What is wrong now, what would have been, who is told, silences.",
    "budgets": "What is spent of each budget, and what it will be.",
    "dashboards": "Dashboards for Grafana: list, write, push.",
    "demo": "Show what Farthing does, with a made-up fleet of agents.",
    "doctor": "Check this installation and say what to do.",
    "explain": "How each cent of a span came about.",
    "loops": "Agents that stop making progress: how well they are seen, and why.",
    "prices": "Look up, check and compare prices.",
    "replay": "Send or load recorded telemetry.",
    "report": "What was spent, by whom and on what.",
    "reprice": "Price the calls in the ledger again, by today's price book.",
    "run": "Run an agent, instrumented; or show one run of the ledger.",
    "runs": "List runs, the most expensive first.",
    "sql": "Ask the ledger in SQL.",
    "up": "Run the collector.",
}
BAD_NEWS, WRONG_QUESTION, INTERRUPTED = 1, 2, 130


@contextmanager
def needing_collector(command: str) -> Iterator[None]:
    """Imports for a command that the base install has not; says so where they fail."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("farthing"):
            raise
        raise ConfigError(
            f"`farthing {command}` needs the collector: pip install"
            f" 'farthing[collector]' (there is no {error.name})"
        ) from error


class _Commands(click.Group):
    """The group of all commands; errors of ours become one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and (near := did_you_mean(args[0], COMMANDS)):
            ctx.fail(f"No such command {args[0]!r}{near}")
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        with needing_collector(cmd_name):
            module = import_module(f"{__name__}.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        for stream in (sys.stdout, sys.stderr):  # a terminal may lack a character
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        try:
            return super().invoke(ctx)
        except FarthingError as error:
            _fail(
                str(error),
                WRONG_QUESTION if isinstance(error, ConfigError) else BAD_NEWS,
            )
        except OSError as error:
            if error.errno == errno.EPIPE:  # click ends quietly
                raise
            what = f"{error.filename}: " if error.filename else ""
            _fail(f"{what}{error.strerror or error}", BAD_NEWS)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"farthing: {message}", err=True)
    sys.exit(code)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("farthing"))
def main() -> None:
    """Accounts for what GenAI agents spend, to the last farthing.

    Exit codes: 0; 1, the answer is bad news; 2, the question was wrong.
    """
