"""The table of libraries fits the packages, the extras and our own files."""

from __future__ import annotations

import tomllib
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from farthing.instrumentation import families, loading
from farthing.instrumentation.diagnosis import coverage
from farthing.instrumentation.libraries import BY_ENTRY_POINT, LIBRARIES, Library

ROOT = Path(__file__).parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
    "optional-dependencies"
]
each_library = pytest.mark.parametrize("library", LIBRARIES, ids=lambda lib: lib.name)


@each_library
def test_each_official_package_is_installed_by_its_extra(library: Library) -> None:
    """`pip install farthing[EXTRA]` brings the package that the table names, and that
    announces an instrumentor under a name that the table knows."""
    if library.official:
        wanted = [Requirement(text).name for text in EXTRAS[library.extra]]
        assert library.official in wanted
        used = families.choose(library).used
        assert used is not None
        assert families.package(used) == library.official


@each_library
def test_our_own_files_agree_with_the_table(library: Library) -> None:
    """A file of `calls` waits for the module for which the table waits."""
    name = f"farthing.instrumentation.calls.{library.ours}"
    if library.ours and find_spec(name):
        assert library.trigger == import_module(name).TRIGGER


def test_each_file_of_ours_is_in_the_table() -> None:
    """No file of `calls` or `frameworks` is without a library that loads it."""
    folder = ROOT / "instrumentation/farthing/instrumentation"
    calls = {path.stem for path in (folder / "calls").glob("*.py")} - {"__init__"}
    frameworks = {path.stem for path in (folder / "frameworks").glob("*.py")}
    assert calls <= {library.ours for library in LIBRARIES}
    assert frameworks - {"__init__"} <= {library.framework for library in LIBRARIES}


def test_names_of_instrumentors_are_told_apart() -> None:
    """No two libraries claim the same entry point."""
    claims = [name for library in LIBRARIES for name in library.entry_points]
    assert len(claims) == len(BY_ENTRY_POINT)


def test_a_release_that_the_package_does_not_name_is_used_if_it_fits() -> None:
    """LangGraph without the package langchain is instrumented, because all that is
    wrapped is there; if it were not, the reason would name what is missing."""
    [langchain] = [library for library in LIBRARIES if library.name == "langchain"]
    used = families.choose(langchain).used
    assert used is not None
    assert loading.conflict_of(used) is not None
    assert loading.unfit(langchain, used) == ""
    gone = Library("x", "x", (), must_have=("langchain_core.callbacks:Gone.gone",))
    assert loading.unfit(gone, used).startswith("it has no langchain_core.callbacks:G")
    strict = Library("x", "x", ())
    assert "langchain" in loading.unfit(strict, used)


def test_what_is_installed_is_told() -> None:
    """Each installed library is told with its version and what instruments it, or why
    nothing does."""
    found = {one.library: one for one in coverage()}
    assert set(found) >= {"openai", "anthropic", "langchain"}
    assert found["openai"].version.startswith("openai ")
    assert found["openai"].by[0] == "opentelemetry-instrumentation-genai-openai"
    disabled = {one.library: one for one in coverage(frozenset({"openai"}))}
    assert disabled["openai"].by == ()
    assert "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS" in disabled["openai"].reason
