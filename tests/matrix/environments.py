"""Environments of the matrix: virtual environments under build/matrix."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "build" / "matrix"
SPECS: Final = Path(__file__).with_name("environments.yaml")
_REQUIREMENT_ENDS: Final = "<>=![ "
INSTALL_S: Final = 900


@dataclass(frozen=True)
class Environment:
    """One environment: what is installed, and which agents run in it."""

    name: str
    extras: tuple[str, ...]
    packages: tuple[str, ...]
    agents: tuple[str, ...]

    @property
    def python(self) -> Path:
        return FOLDER / self.name / "bin" / "python"

    @property
    def failure(self) -> Path:
        """Holds why it could not be installed."""
        return FOLDER / f"{self.name}.failed"

    def install(self) -> str:
        """Make it, unless it is there; why it could not be made, else nothing."""
        if self.python.exists() and not self.failure.exists():
            return ""
        self.failure.unlink(missing_ok=True)
        FOLDER.mkdir(parents=True, exist_ok=True)
        _run([sys.executable, "-m", "venv", self.python.parents[1]])
        own = f"{ROOT}[{','.join(self.extras)}]" if self.extras else str(ROOT)
        done = _run([self.python, "-m", "pip", "install", "-e", own, *self.packages])
        if done.returncode == 0:
            return ""
        why = _reason(done.stderr)
        self.failure.write_text(why, encoding="utf-8")
        return why

    def versions(self) -> dict[str, str]:
        """Release of each package that is named, as installed."""
        done = _run([self.python, "-m", "pip", "list", "--format", "json"])
        installed = {
            one["name"].lower(): one["version"] for one in json.loads(done.stdout)
        }
        names = [_name(package) for package in self.packages]
        return {name: installed[name] for name in names if name in installed}


def environments() -> Iterator[Environment]:
    """All of them."""
    specs: dict[str, Any] = yaml.safe_load(SPECS.read_text(encoding="utf-8"))
    for name, spec in specs.items():
        fields = {key: tuple(value) for key, value in spec.items()}
        yield Environment(name, **fields)


def _name(package: str) -> str:
    for end in _REQUIREMENT_ENDS:
        package = package.partition(end)[0]
    return package.lower()


def _reason(stderr: str) -> str:
    errors = [line for line in stderr.splitlines() if line.startswith("ERROR")]
    return errors[0].removeprefix("ERROR: ")[:200] if errors else "pip failed"


def _run(command: list[Any]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=INSTALL_S,
        check=False,
    )
