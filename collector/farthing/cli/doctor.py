"""`farthing doctor`: checks this installation and says what to do."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from farthing.cli import BAD_NEWS, needing_collector
from farthing.cli.checks import Status, agent
from farthing.cli.options import config_option, data_option, json_option


@click.command()
@click.option(
    "--agent",
    "is_agent",
    is_flag=True,
    help="Check what an agent would do in this environment, instead of the collector.",
)
@config_option
@data_option
@json_option
def command(
    config: Path | None, data_dir: Path | None, *, is_agent: bool, as_json: bool
) -> None:
    """Check this installation and say what to do.

    A line per check: ok, warning (it works), PROBLEM (it does not). Ends with 1 if
    there is a problem. --json holds every setting in force, too.
    """
    if is_agent:
        _check_agent(as_json=as_json)
        return
    with needing_collector("doctor"):
        from farthing.cli import doctor_collector
    doctor_collector.check(config, data_dir, as_json=as_json)


def _check_agent(*, as_json: bool) -> None:
    findings = list(agent.findings())
    is_well = all(finding.status != Status.PROBLEM for finding in findings)
    if as_json:
        checks = [finding.to_json() for finding in findings]
        click.echo(json.dumps({"ok": is_well, "checks": checks}, indent=2))
    else:
        for finding in findings:
            click.echo(finding.line())
    if not is_well:
        sys.exit(BAD_NEWS)
