"""A price book that changes while the collector runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from farthing.collector.price_sources import BOOK_FILES, PriceSources, book_of
from farthing.collector.price_watch import PriceWatch
from farthing.economics.prices.catalogue import DATA_DIR, load_catalogue
from farthing.errors import ConfigError

FREE = "free:\n  - {{provider: {}}}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "prices.yaml"
    path.write_text(FREE.format("ollama"))
    return path


@pytest.fixture
def watch(file: Path) -> PriceWatch:
    sources = PriceSources(file)
    return PriceWatch(sources, sources.read())


def test_a_changed_file_is_read_once_it_rests(watch: PriceWatch, file: Path) -> None:
    """A file that is still being written is not read; at rest it is, and once."""
    watch.look()
    assert watch.newer() is None
    file.write_text(FREE.format("vllm"))
    watch.look()
    assert watch.newer() is None
    watch.look()
    found = watch.newer()
    assert found is not None
    assert ("vllm", "*") in found.models
    watch.took(found)
    assert watch.newer() is None


def test_asked_for_it_is_read_at_once(watch: PriceWatch, file: Path) -> None:
    """Who says that the file is whole need not wait."""
    file.write_text(FREE.format("vllm"))
    watch.look(at_once=True)
    assert watch.newer() is not None


@pytest.mark.parametrize("broken", ["free: [", "free:\n  - {modle: x}\n", None])
def test_a_broken_file_changes_nothing(
    watch: PriceWatch,
    file: Path,
    broken: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Broken, wrong or gone: the prices in force stay, it is told once and where; a
    file made good is read again."""
    if broken is None:
        file.unlink()
    else:
        file.write_text(broken)
    for _ in range(4):
        watch.look()
    assert watch.newer() is None
    assert watch.problem is not None
    assert str(file) in watch.problem
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    file.write_text(FREE.format("vllm"))
    watch.look(at_once=True)
    assert watch.newer() is not None


def test_a_file_that_says_the_same_is_no_change(watch: PriceWatch, file: Path) -> None:
    """Touching a file, or a comment in it, makes no new price book."""
    file.write_text("# a word of no weight\n" + FREE.format("ollama"))
    watch.look(at_once=True)
    assert watch.newer() is None


def test_a_book_in_a_folder_is_the_one_in_force(tmp_path: Path) -> None:
    """A compiled book replaces Farthing's own, and is read anew when it changes."""
    folder = tmp_path / "book"
    shutil.copytree(DATA_DIR, folder)
    sources = PriceSources(folder=folder)
    watch = PriceWatch(sources, sources.read())
    assert sources.read().sha256 == load_catalogue().sha256
    rates = folder / BOOK_FILES[0]
    rates.write_text(rates.read_text().replace("\t2.5 1.25 ", "\t2.6 1.25 "))
    watch.look(at_once=True)
    assert watch.newer() is not None


def test_a_book_that_is_none_says_so(tmp_path: Path) -> None:
    """A folder without a book, and one with a broken row, are refused."""
    with pytest.raises(ConfigError, match="farthing prices compile"):
        book_of(tmp_path)
    for name in BOOK_FILES:
        shutil.copy(DATA_DIR / name, tmp_path)
    with (tmp_path / BOOK_FILES[0]).open("a") as rates:
        rates.write("openai\tgpt-5\tno such way\t0\n")
    with pytest.raises(ConfigError, match="cannot be read"):
        book_of(tmp_path)
