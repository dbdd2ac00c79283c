"""Which collector owns a data folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from farthing.collector import presence
from farthing.errors import ConfigError


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
