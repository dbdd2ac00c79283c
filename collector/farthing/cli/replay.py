"""`farthing replay`: recorded telemetry, sent or loaded."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import click

from farthing.cli import show
from farthing.cli.ledger import ledger_settings
from farthing.cli.options import data_option, json_option
from farthing.collector import presence
from farthing.collector.config import Settings, load_settings
from farthing.collector.parts import followed_up, open_ledger, own_data_folder
from farthing.collector.replay.files import read
from farthing.collector.replay.load import load
from farthing.collector.replay.send import Sent, send
from farthing.collector.replay.wait import wait_until_loaded
from farthing.collector.store.client import Refused
from farthing.errors import BadPayload, ConfigError, FarthingError

_Progress = Callable[[Sent], None]


@click.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--to", "url", metavar="URL", help="Send to this OTLP/HTTP receiver.")
@click.option("--token", help="The receiver's token, instead of FARTHING_TOKEN.")
@data_option
@json_option
def command(
    files: tuple[Path, ...],
    url: str | None,
    token: str | None,
    data_dir: Path | None,
    *,
    as_json: bool,
) -> None:
    """Send recorded OTLP traces, or load them into a data folder.

    FILES are `.pb` (each request behind its length as a varint) or `.jsonl` (OTLP JSON,
    a request a line). Without --to they go to the collector that runs on the data
    folder, or into its ledger directly when none does. Ends when they can be queried.

    A file that is broken is sent up to where it breaks; sending the repaired file again
    to a collector within an hour counts no request twice.
    """
    if url is not None and data_dir is not None:
        raise click.UsageError("--to and --data exclude each other: name one of them")
    _look_at(files)
    is_own = url is None
    if url is not None:
        settings = load_settings(token=token)
    else:
        settings = ledger_settings(data_dir)
        running = presence.find(settings.data_dir)
        url = running.http_url if running else None
    if url is None:
        sent = _counting(lambda progress: _load(files, settings, progress))
    else:
        own = presence.trust(settings.tls_cert) if is_own else None
        sent = _send(files, url, token or settings.token_text, own)
    if as_json:
        show.as_json(asdict(sent))
        return
    refused = f", {sent.rejected_spans} refused" if sent.rejected_spans else ""
    spans, requests = _told(sent)
    show.line(f"{spans} in {requests}{refused}.")


def _look_at(files: tuple[Path, ...]) -> None:
    """Read the first request of each file, so that one of another kind is told before
    anything is sent."""
    for file in files:
        try:
            next(read(file), None)
        except BadPayload as error:
            raise ConfigError(f"{error}; nothing was sent") from error


def _counting(work: Callable[[_Progress], Sent]) -> Sent:
    """Do work that reports its progress; an error then says how far it came."""
    done = Sent()

    def remember(sent: Sent) -> None:
        nonlocal done
        done = sent

    try:
        return work(remember)
    except (FarthingError, Refused) as error:
        kind = ConfigError if isinstance(error, ConfigError) else BadPayload
        spans, requests = _told(done)
        raise kind(f"{error}; sent before that: {requests} ({spans})") from error


def _told(sent: Sent) -> tuple[str, str]:
    return show.counted(sent.spans, "span"), show.counted(sent.requests, "request")


def _load(files: tuple[Path, ...], settings: Settings, progress: _Progress) -> Sent:
    with (
        own_data_folder(settings.data_dir),
        open_ledger(settings) as ledger,
        show.progress("loading") as update,
    ):
        return load(
            _requests(files),
            ledger,
            _both(progress, update),
            after_load=followed_up(ledger),
        )


def _send(
    files: tuple[Path, ...],
    url: str,
    token: str | None,
    trusted: ssl.SSLContext | None,
) -> Sent:
    with show.progress(f"sending to {url}") as update:
        sent = _counting(
            lambda progress: send(
                _requests(files),
                url,
                token=token,
                trusted=trusted,
                progress=_both(progress, update),
            )
        )
    with show.progress("waiting until it can be queried") as update:
        is_ours = wait_until_loaded(
            url,
            token=token,
            trusted=trusted,
            progress=lambda left: update(left, "requests left"),
        )
    if not is_ours:
        click.echo(
            f"{url} took them, but is no collector of Farthing (it has no /metrics of"
            " one): whether they can be queried there is not known",
            err=True,
        )
    return sent


def _both(progress: _Progress, update: show.Update) -> _Progress:
    def tell(done: Sent) -> None:
        progress(done)
        update(done.spans, "spans")

    return tell


def _requests(files: tuple[Path, ...]) -> Iterator[bytes]:
    for file in files:
        yield from read(file)
