"""What is built from the tree: one wheel with all four portions and their data."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PORTIONS = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


def expected(root_of: str) -> set[str]:
    """Every file of the portions, by its path relative to the portion's `root_of`."""
    return {
        path.relative_to(
            ROOT / (Path(portion).parent if root_of == "wheel" else ".")
        ).as_posix()
        for portion in PORTIONS
        for path in (ROOT / portion).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist of this tree."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    [path] = built.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_has_every_file_of_every_portion(wheel: zipfile.ZipFile) -> None:
    """SQL, proto, data and py.typed are packaged as modules are, and nothing else."""
    files = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert files == expected("wheel")
    assert "farthing/py.typed" in files
    assert "farthing/__init__.py" not in files
    assert any(name.endswith(".sql") for name in files)
    assert any(name.endswith(".proto") for name in files)


def test_the_wheel_runs_anywhere_and_brings_one_command(wheel: zipfile.ZipFile) -> None:
    """The wheel is pure Python, carries its licence and starts as `farthing`."""
    [info] = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    assert "Tag: py3-none-any" in wheel.read(f"{info}/WHEEL").decode()
    assert f"{info}/licenses/LICENSE" in wheel.namelist()
    scripts = wheel.read(f"{info}/entry_points.txt").decode()
    assert "farthing = farthing.cli:main" in scripts


def test_the_sdist_can_be_built_and_tested(built: Path) -> None:
    """The source archive holds the portions, the tests and what installs them."""
    [path] = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    needed = {"pyproject.toml", "constraints.txt", "Makefile", "LICENSE", "README.md"}
    assert expected("sdist") | needed <= names
    assert "tests/test_packaging.py" in names


def test_every_dependency_is_pinned_once_for_development() -> None:
    """constraints.txt pins each direct dependency to one exact version that satisfies
    pyproject.toml, sorted, and names no host, path or editable install."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [
        line for line in pins if "://" in line or " @ " in line or line.startswith("-e")
    ] == []
    pinned = {canonical(line.split("==")[0]): pinned_version(line) for line in pins}
    assert len(pinned) == len(pins)
    assert pins == sorted(pins, key=str.upper)

    project = PYPROJECT["project"]
    groups = project["optional-dependencies"].values()
    for text in [
        *PYPROJECT["build-system"]["requires"],
        *project["dependencies"],
        *(requirement for group in groups for requirement in group),
    ]:
        requirement = Requirement(text)
        if canonical(requirement.name) != "farthing":
            assert pinned[canonical(requirement.name)] in requirement.specifier, text


def canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def pinned_version(line: str) -> str:
    return line.split("==")[1].split(";")[0].strip()
