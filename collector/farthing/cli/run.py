"""`farthing run -- PROGRAM`: an agent, instrumented; `farthing run show`: one run."""

from __future__ import annotations

import shutil
import sys

import click

from farthing.cli import needing_collector
from farthing.instrumentation import settings

_INSTRUMENT = "opentelemetry-instrument"


class _Run(click.Group):
    """Takes what follows `--`, or is no command of its own, for a program."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta["is_program"] = "--" in args
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if ctx.meta["is_program"] or args[0] not in self.list_commands(ctx):
            return args[0], _program, args
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return ["show"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name != "show":
            return None
        with needing_collector("run show"):
            from farthing.cli import run_show
        return run_show.command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List them without loading what an agent's environment lacks."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([("show", "Show a run of the ledger.")])


@click.group(cls=_Run, subcommand_metavar="[-- PROGRAM [ARGS]… | show RUN_ID]")
@click.option("--task-type", metavar="NAME", help="What kind of task it is.")
@click.option("--business-unit", metavar="NAME", help="Who pays.")
@click.option("--team", metavar="NAME", help="Who works.")
@click.option("--user", metavar="NAME", help="For whom.")
@click.option("--endpoint", metavar="URL", help="Where the collector listens.")
def command(
    task_type: str | None,
    business_unit: str | None,
    team: str | None,
    user: str | None,
    endpoint: str | None,
) -> None:
    """Run an agent, instrumented; or show one run of the ledger.

    `farthing run -- python agent.py` is `opentelemetry-instrument python agent.py`
    with what Farthing needs in its environment. What is set there already stays.
    """
    settings.set_variables(
        {
            "FARTHING_TASK_TYPE": task_type,
            "FARTHING_BUSINESS_UNIT": business_unit,
            "FARTHING_TEAM": team,
            "FARTHING_USER": user,
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        }
    )


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("program", nargs=-1, type=click.UNPROCESSED)
def _program(program: tuple[str, ...]) -> None:
    """Become the program, with instrumentation."""
    if shutil.which(program[0]) is None:
        raise click.UsageError(f"there is no program {program[0]!r} on the PATH")
    settings.choose_distro(frozenset())
    from opentelemetry.instrumentation import auto_instrumentation

    sys.argv = [_INSTRUMENT, *program]
    auto_instrumentation.run()
