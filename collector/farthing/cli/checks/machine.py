"""Checks of the machine: disk, ports."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from farthing.cli.checks import Finding, Findings, ok, problem, warning
from farthing.cli.show import size
from farthing.collector import presence
from farthing.collector.config import Settings, host_port, variable
from farthing.collector.presence import Running
from farthing.collector.receive.http_server import listen
from farthing.collector.receive.settings import check_binding
from farthing.errors import ConfigError

_PROC: Final = Path("/proc")
_LISTENING: Final = "0A"
_ENOUGH: Final = 4


def disk(settings: Settings) -> Findings:
    """Room for the spool and the ledger."""
    folder = settings.data_dir
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free, least = shutil.disk_usage(existing).free, settings.min_free_bytes
    says = f"{size(free)} free in {folder}, at least {size(least)} are kept free"
    if free < least:
        yield problem(
            "disk",
            f"{says}: senders are told to retry",
            "make room, or set FARTHING_DATA_DIR to a larger disk",
        )
    elif free < _ENOUGH * least:
        yield warning("disk", says, "make room soon")
    else:
        yield ok("disk", says)


def ports(settings: Settings, running: Running | None, *, embedded: bool) -> Findings:
    """Whether the collector can listen, or who does in its place."""
    options = ["http_listen", "grpc_listen", *(["web_listen"] if embedded else [])]
    if running is not None:
        where = ", ".join(filter(None, (running.http_url, running.web_url)))
        yield ok("ports", f"the collector (process {running.pid}) listens: {where}")
        return
    elsewhere = next(filter(None, (_folder(settings, each) for each in options)), None)
    if elsewhere is not None:
        says = f"a collector runs here on another folder, {elsewhere}"
        yield problem("ports", says, f"`farthing doctor --data {elsewhere}`")
        return
    for option in options:
        yield _port(option, getattr(settings, option), settings.token_text)


def _port(option: str, address: str, token: str | None) -> Finding:
    host, port = host_port(address)
    try:
        check_binding(host, token)
        listen(host, port, option=option).close()
    except ConfigError as error:
        owner = next(owners(port), "") if port else ""
        says = f"{address} is in use by {owner}" if owner else str(error)
        return problem(
            "ports", says, f"stop what listens there, or set {variable(option)}"
        )
    free = "any free port will be taken" if port == 0 else "free"
    return ok("ports", f"{option} {address}: {free}")


def owners(port: int) -> Iterator[str]:
    """The programs that listen on a TCP port, as far as /proc tells."""
    for process in _listening(port):
        with suppress(OSError):
            name = (process / "comm").read_text(encoding="utf-8").strip()
            yield f"{name} (process {process.name})"


def _listening(port: int) -> Iterator[Path]:
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    for process in _PROC.glob("[0-9]*") if sockets else ():
        with suppress(OSError):
            if any(str(link.readlink()) in sockets for link in _links(process)):
                yield process


def _folder(settings: Settings, option: str) -> Path | None:
    """The data folder of the collector on an option's port, if one listens."""
    _, port = host_port(getattr(settings, option))
    for process in _listening(port) if port else ():
        with suppress(OSError):
            for link in _links(process):
                if (opened := link.readlink()).name == presence.FILE:
                    return opened.parent
    return None


def _inodes(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            lines = (_PROC / "net" / table).read_text(encoding="ascii").splitlines()
            for fields in (line.split() for line in lines[1:]):
                if fields[3] == _LISTENING and int(fields[1][-4:], 16) == port:
                    yield fields[9]


def _links(process: Path) -> Iterator[Path]:
    return (process / "fd").iterdir()
