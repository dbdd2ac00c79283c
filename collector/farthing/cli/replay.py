"""`farthing replay`: recorded telemetry, sent or loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from farthing.cli import show
from farthing.cli.options import data_option
from farthing.collector import presence
from farthing.collector.app import open_ledger
from farthing.collector.config import Settings, load_settings
from farthing.collector.replay.files import read
from farthing.collector.replay.load import load
from farthing.collector.replay.send import Sent, send
from farthing.collector.replay.wait import wait_until_loaded


@click.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--to", "url", help="Send to this OTLP/HTTP receiver.")
@data_option
def command(files: tuple[Path, ...], url: str | None, data_dir: Path | None) -> None:
    """Send recorded OTLP traces, or load them into a data folder.

    FILES are `.pb` (each request behind its length as a varint) or `.jsonl` (OTLP JSON,
    a request a line). Without --to they go to the collector that runs on the data
    folder, or into its ledger directly when none does. Ends when they can be queried.
    """
    settings = load_settings(data_dir=data_dir)
    if url is None:
        running = presence.find(settings.data_dir)
        url = running.http_url if running else None
    if url is None:
        sent = _load(files, settings)
    else:
        sent = _send(files, url, settings)
    refused = f", {sent.rejected_spans} refused" if sent.rejected_spans else ""
    show.line(f"{show.count(sent.spans)} spans in {sent.requests} requests{refused}.")


def _load(files: tuple[Path, ...], settings: Settings) -> Sent:
    with (
        presence.owned(settings.data_dir),
        open_ledger(settings) as ledger,
        show.progress("loading") as update,
    ):
        return load(
            _requests(files), ledger, lambda done: update(done.spans, unit="spans")
        )


def _send(files: tuple[Path, ...], url: str, settings: Settings) -> Sent:
    token = settings.token_text
    with show.progress(f"sending to {url}") as update:
        sent = send(
            _requests(files),
            url,
            token=token,
            progress=lambda done: update(done.spans, unit="spans"),
        )
    with show.progress("waiting until it can be queried") as update:
        wait_until_loaded(
            url, token=token, progress=lambda left: update(left, unit="requests left")
        )
    return sent


def _requests(files: tuple[Path, ...]) -> Iterator[bytes]:
    for file in files:
        yield from read(file)
