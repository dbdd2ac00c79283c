"""Which collector owns a data folder: a small file that says where to ask it.

The embedded engine can be opened by one process only, so commands that run beside a
collector ask it over HTTP. The operating system's lock on the file, not its content,
says whether the collector lives: it ends with the process, however that ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final

from farthing.errors import ConfigError

FILE: Final = "collector.json"
_FILE_BYTES = 4096
"""It has its size from the start: to announce needs no room, so a disk that fills up
meanwhile does not end a collector that already serves."""


@dataclass(frozen=True, slots=True)
class Running:
    """A collector that owns a data folder, and where it is reached.

    `web_url` is None where its ledger is on a server of its own.
    """

    pid: int
    http_url: str
    web_url: str | None


@contextmanager
def owned(data_dir: Path) -> Iterator[IO[str]]:
    """Own the folder for the length of the block; `announce` through the file.

    Raises ConfigError if another process owns it, it cannot be made, or there is no
    room.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        (data_dir / FILE).touch()
    except OSError as error:
        raise ConfigError(
            f"{data_dir} cannot be used as data folder: {error.strerror}. Choose one in"
            " which this user may write, with --data"
        ) from error
    with (data_dir / FILE).open("r+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            other = _read(data_dir)
            who = f"process {other.pid}" if other else "another process"
            raise ConfigError(
                f"{data_dir} is in use by {who}: stop it, or choose another folder"
                " with --data"
            ) from error
        try:
            _write(file, "")
        except OSError as error:
            raise ConfigError(
                f"{data_dir} cannot be written: {error.strerror}. What waits there is"
                " safe: make room, then start again"
            ) from error
        yield file
        file.truncate(0)


def announce(file: IO[str], http_url: str, web_url: str | None) -> None:
    """Say where the collector of this process is reached."""
    running = Running(os.getpid(), http_url, web_url)
    _write(file, json.dumps(asdict(running)))


def find(data_dir: Path) -> Running | None:
    """The collector that owns the folder now, or None."""
    path = data_dir / FILE
    if not path.exists():
        return None
    with path.open(encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _read(data_dir)
    return None


def trust(certificate: Path | None) -> ssl.SSLContext | None:
    """How to ask a collector of this machine that has this certificate: it alone is
    trusted, and its names are not looked at, for the collector is asked by address.
    None without one. Raises ConfigError for a file that holds none."""
    if certificate is None:
        return None
    try:
        context = ssl.create_default_context(cafile=certificate)
    except OSError as error:
        raise ConfigError(f"no certificate in {certificate}: {error}") from error
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # its issuer is not there
    context.check_hostname = False
    return context


def _write(file: IO[str], text: str) -> None:
    os.pwrite(file.fileno(), text.ljust(_FILE_BYTES).encode(), 0)


def _read(data_dir: Path) -> Running | None:
    try:
        said = json.loads((data_dir / FILE).read_text(encoding="utf-8"))
        return Running(said["pid"], said["http_url"], said["web_url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
