"""Which collector owns a data folder."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from farthing.collector import presence
from farthing.collector.receive.settings import Tls
from farthing.errors import ConfigError
from tests.certificates import self_signed, signed


def test_a_collector_is_found_while_it_runs(tmp_path: Path) -> None:
    """While a collector owns a folder, it says where to reach it; then nobody does."""
    folder = tmp_path / "data"
    assert presence.find(folder) is None
    with presence.owned(folder) as file:
        presence.announce(file, "http://127.0.0.1:1", "http://127.0.0.1:2")
        assert presence.find(folder) == presence.Running(
            os.getpid(), "http://127.0.0.1:1", "http://127.0.0.1:2"
        )
    assert presence.find(folder) is None


def test_a_folder_has_one_owner(tmp_path: Path) -> None:
    """A second collector is told who owns the folder, and the first is still found."""
    with presence.owned(tmp_path) as file:
        presence.announce(file, "http://127.0.0.1:1", None)
        with (
            pytest.raises(
                ConfigError, match=f"in use by process {os.getpid()}: stop it"
            ),
            presence.owned(tmp_path),
        ):
            pass
        assert presence.find(tmp_path) is not None


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """With what stands in the way, and what to do."""
    (tmp_path / "file").touch()
    with (
        pytest.raises(ConfigError, match=r"Not a directory.*, with --data"),
        presence.owned(tmp_path / "file" / "data"),
    ):
        pass


def test_a_collector_that_was_killed_owns_nothing(tmp_path: Path) -> None:
    """After a kill -9 the folder is free, whatever the file still says."""
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from farthing.collector import presence\n"
        "with presence.owned(Path(sys.argv[1])) as file:\n"
        "    presence.announce(file, 'http://127.0.0.1:1', None)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path], check=False)
    assert (tmp_path / "collector.json").stat().st_size > 0
    assert presence.find(tmp_path) is None
    with presence.owned(tmp_path):
        pass


def test_a_full_disk_is_told_at_the_start(tmp_path: Path) -> None:
    """Where nothing can be written the folder is not owned, and what to do is said:
    a collector that already serves does not end for want of room."""
    (tmp_path / "collector.json").symlink_to("/dev/full")
    with (
        pytest.raises(ConfigError, match="make room, then start again"),
        presence.owned(tmp_path),
    ):
        pass


def test_to_announce_takes_no_room(tmp_path: Path) -> None:
    """The file has its size as soon as the folder is owned."""
    with presence.owned(tmp_path) as file:
        before = (tmp_path / "collector.json").stat().st_size
        presence.announce(file, "http://127.0.0.1:1", None)
        assert (tmp_path / "collector.json").stat().st_size == before > 0


@pytest.mark.parametrize("made_by", [self_signed, signed])
def test_the_collector_s_certificate_is_trusted_alone(
    made_by: Callable[[Path, str], Tls], tmp_path: Path
) -> None:
    """Whoever signed it, and whatever host it names; no other certificate is."""
    (tmp_path / "own").mkdir()
    (tmp_path / "other").mkdir()
    own = made_by(tmp_path / "own", "collector.example")
    other = made_by(tmp_path / "other", "collector.example")
    _shake_hands(presence.trust(own.certificate), own)
    with pytest.raises(ssl.SSLCertVerificationError):
        _shake_hands(presence.trust(own.certificate), other)


def _shake_hands(trusted: ssl.SSLContext | None, tls: Tls) -> None:
    """A client that trusts so meets a server that has this certificate."""
    assert trusted is not None
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(tls.certificate, tls.key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusted.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    assert client.version() is not None
