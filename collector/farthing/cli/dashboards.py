"""`farthing dashboards`: Grafana's dashboards, as files and in a Grafana."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final, TextIO

import click

from farthing.cli import BAD_NEWS, show
from farthing.cli.show import Column
from farthing.dashboards.catalogue import DASHBOARDS, panel
from farthing.dashboards.grafana import files
from farthing.dashboards.listing import markdown

_FOLDER: Final = Path("dashboards/grafana")


@click.group()
def command() -> None:
    """Dashboards for Grafana: list them, write their files, push them."""


@command.command("list")
@click.option("--markdown", "as_markdown", is_flag=True, help="As docs have it.")
def list_them(*, as_markdown: bool) -> None:
    """Dashboards, their panels, and the question that each answers."""
    if as_markdown:
        click.echo(markdown())
        return
    show.table(
        [Column("dashboard"), Column("panel"), Column("question")],
        [
            [board.id, name, panel(name).question]
            for board in DASHBOARDS
            for name in board.panels
        ],
    )


@command.command("build")
@click.argument(
    "folder", type=click.Path(path_type=Path, file_okay=False), default=_FOLDER
)
@click.option("--check", is_flag=True, help="Write nothing; end with 1 if any differs.")
def build(folder: Path, *, check: bool) -> None:
    """Write Grafana's JSON, a file per dashboard, into FOLDER (dashboards/grafana)."""
    made = files()
    stale = [
        name
        for name, text in made.items()
        if not (folder / name).is_file()
        or (folder / name).read_text(encoding="utf-8") != text
    ]
    if check and stale:
        show.line(f"not fresh in {folder}: {', '.join(stale)}")
        show.line(f"write them with `farthing dashboards build {folder}`")
        sys.exit(BAD_NEWS)
    if not check:
        folder.mkdir(parents=True, exist_ok=True)
        for name in stale:
            (folder / name).write_text(made[name], encoding="utf-8")
    written = 0 if check else len(stale)
    show.line(f"{folder}: {len(made)} dashboards, {written} written")


@command.command("push")
@click.argument("url")
@click.option("--folder", default="Farthing", show_default=True, help="Their folder.")
@click.option(
    "--token-file",
    type=click.File(),
    metavar="FILE",
    help="Holds a service account's token; - reads it from standard input.",
)
@click.option("--dry-run", is_flag=True, help="Say what would change; change nothing.")
@click.option("--diff", is_flag=True, help="Show what is different, line by line.")
def push(
    url: str,
    folder: str,
    token_file: TextIO | None,
    *,
    dry_run: bool,
    diff: bool,
) -> None:
    """Write the dashboards into the Grafana at URL, as far as they differ.

    Without a token the user of the URL is taken: http://user:password@host:3000. With
    --dry-run it ends with 1 if anything would change.
    """
    from farthing.dashboards.push import Change, Grafana

    grafana = Grafana(url, token=token_file.read().strip() if token_file else "")
    grafana.version()
    changes = grafana.changes()
    if diff:
        for line in (line for change in changes for line in change.difference):
            click.echo(line)
    pending = [change for change in changes if change.what != "same"]

    def told(change: Change) -> None:
        show.line(f"{change.what}: {change.title} ({grafana.url}/d/{change.uid})")

    if dry_run:
        for change in pending:
            told(change)
    else:
        grafana.push(changes, folder=folder, told=told)
    word = "would be written" if dry_run else "written"
    show.line(f"{len(pending)} {word}, {len(changes) - len(pending)} are the same")
    if dry_run and pending:
        sys.exit(BAD_NEWS)
