"""Files that take long to make."""

from __future__ import annotations

from pathlib import Path

from farthing.collector.web.page.assets import Assets, Made


def _assets(folder: Path | None, made: list[str], version: str = "1") -> Assets:
    def make() -> bytes:
        made.append(version)
        return version.encode()

    return Assets({"charts.js": Made(version, make, folder)})


def test_what_took_long_is_made_once_for_all_processes(tmp_path: Path) -> None:
    """A file is kept under its version: the next process reads it, another version is
    made anew."""
    made: list[str] = []
    for version in ("1", "1", "2", "1"):
        asset = _assets(tmp_path / "cache", made, version).asset("charts.js")
        assert (asset.plain, asset.version) == (version.encode(), version)
    assert made == ["1", "2"]


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    """Where nothing can be kept the file is made, once a process."""
    (tmp_path / "file").write_text("")
    made: list[str] = []
    assets = _assets(tmp_path / "file" / "cache", made)
    assert assets.asset("charts.js").plain == assets.asset("charts.js").plain == b"1"
    assert made == ["1"]
