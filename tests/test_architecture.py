"""The rules that hold the parts together: DESIGN turned into checks."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PORTIONS = [
    ROOT / portion
    for portion in PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
]
MIGRATIONS = ROOT / "collector/farthing/collector/store/sql"
MAX_LINES = 400

READS_ENVIRONMENT = {
    "collector/farthing/collector/config.py",
    "instrumentation/farthing/instrumentation/settings.py",
}
MONEY = (
    "instrumentation/farthing/economics/prices",
    "instrumentation/farthing/economics/usage.py",
    "instrumentation/farthing/economics/budgets.py",
    "instrumentation/farthing/instrumentation/guard",
)
VAGUE = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def sources(*suffixes: str) -> Iterator[Path]:
    """Files of the four portions with one of `suffixes`, sorted."""
    for portion in PORTIONS:
        yield from sorted(p for p in portion.rglob("*") if p.suffix in suffixes)


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(), filename=str(path)))


def test_each_portion_of_the_namespace_exists() -> None:
    """Every folder that pyproject packages is there, and is put on the path of an
    editable install."""
    build = PYPROJECT["tool"]["hatch"]["build"]
    assert [named(portion) for portion in PORTIONS if not portion.is_dir()] == []
    assert [f"{folder}/farthing" for folder in build["dev-mode-dirs"]] == [
        named(portion) for portion in PORTIONS
    ]


def test_no_portion_has_an_init_of_its_own() -> None:
    """A `farthing/__init__.py` in one portion would hide the other three."""
    stray = [
        p for folder in PORTIONS for p in folder.parent.glob("**/farthing/__init__.py")
    ]
    assert [named(path) for path in stray] == []


def test_every_package_below_the_namespace_is_a_regular_one() -> None:
    """A folder with modules has an `__init__.py`, so that tools find its modules."""
    folders = {path.parent for path in sources(".py")} - set(PORTIONS)
    assert [
        named(f) for f in sorted(folders) if not (f / "__init__.py").is_file()
    ] == []


def test_layers_hold() -> None:
    """Who imports whom is as the import-linter contracts in pyproject.toml say."""
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    """No Python or SQL file, tests and benchmarks included, is over 400 lines."""
    others = (p for d in ("tests", "benchmarks") for p in (ROOT / d).rglob("*.py"))
    lengths = {
        named(path): len(path.read_text().splitlines())
        for path in [*sources(".py", ".sql"), *others]
    }
    assert {name: n for name, n in lengths.items() if n > MAX_LINES} == {}


def reads_environment(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(
            value=ast.Name("os"), attr="environ" | "environb" | "getenv"
        ):
            return True
        case ast.ImportFrom(module="os", names=names):
            return any(name.name in {"environ", "environb", "getenv"} for name in names)
        case ast.ImportFrom(module=str(module)):
            return module.split(".")[0] in {"pydantic_settings", "dotenv"}
        case ast.Import(names=names):
            return any(name.name in {"pydantic_settings", "dotenv"} for name in names)
        case ast.keyword(arg="envvar" | "auto_envvar_prefix"):
            return True
    return False


def test_the_environment_is_read_in_one_place_per_process() -> None:
    """Only the collector's config and the agent's settings read the environment; other
    code takes parameters."""
    readers = {
        named(path)
        for path in sources(".py")
        if any(map(reads_environment, nodes(path)))
    }
    assert readers - READS_ENVIRONMENT == set()


@pytest.mark.parametrize(
    ("code", "reads"),
    [
        ("import os\nos.environ['A']", True),
        ("import os\nos.getenv('A')", True),
        ("from os import environ", True),
        ("from pydantic_settings import BaseSettings", True),
        ("import click\nclick.option('--a', envvar='A')", True),
        ("import os\nos.getpid()", False),
        ("environ = {}", False),
    ],
)
def test_reading_the_environment_is_recognised(code: str, reads: bool) -> None:
    """The check above sees every way to read a variable, and nothing else."""
    assert any(map(reads_environment, ast.walk(ast.parse(code)))) is reads


TIMES = ("guard/leased.py", "guard/shared.py", "guard/link.py")
"""Files whose floats are seconds: they wait."""


def test_money_is_never_a_float() -> None:
    """Where prices and costs are computed, there is neither `float` nor 0.1."""
    found = [
        f"{named(path)}:{node.lineno}"
        for path in sources(".py")
        if named(path).startswith(MONEY) and not named(path).endswith(TIMES)
        for node in nodes(path)
        if (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    ]
    assert found == []


def test_no_column_of_money_is_a_float() -> None:
    """In SQL, whatever ends in `_usd` is a Decimal."""
    floats = re.compile(
        r"\w+_usd\s+(?:Nullable\(\s*)?Float|toFloat\d+\w*\([^)]*_usd", re.I
    )
    found = [
        f"{named(path)}: {match[0]}"
        for path in sources(".sql")
        for match in floats.finditer(path.read_text())
    ]
    assert found == []


def test_migrations_are_numbered_without_gaps() -> None:
    """Migrations are 0001_*, 0002_* and so on, each number once."""
    numbers = sorted(int(path.name[:4]) for path in MIGRATIONS.glob("[0-9]*.sql"))
    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers, f"there is no migration in {MIGRATIONS}"


def test_names_say_what_a_module_is_about() -> None:
    """No module or folder is called utils, helpers, manager or base."""
    vague = [p for p in sources(".py") if {p.stem, *p.relative_to(ROOT).parts} & VAGUE]
    assert [named(path) for path in vague] == []


def test_nothing_is_left_for_later() -> None:
    """No TODO, FIXME or NotImplementedError in the sources."""
    later = re.compile(r"\b(?:TODO|FIXME|XXX)\b|\bNotImplementedError\b")
    found = [
        f"{named(path)}: {match[0]}"
        for path in sources(".py", ".sql", ".proto")
        for match in later.finditer(path.read_text())
    ]
    assert found == []
