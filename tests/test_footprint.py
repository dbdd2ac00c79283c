"""What a plain `pip install farthing` puts into an agent's environment."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONSTRAINTS = ROOT / "constraints.txt"

# What an application has anyway when it exports traces over OTLP.
USUAL = (
    "opentelemetry-sdk",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-instrumentation",
)
NOT_FOR_AGENTS = (
    "anthropic",
    "chdb",
    "clickhouse-connect",
    "genai-prices",
    "grpcio",
    "numpy",
    "openai",
    "pandas",
    "pyarrow",
    "pydantic",
    "rich",
    "starlette",
    "uvicorn",
)
MAX_ADDED_BYTES = 30 * 1024 * 1024


class Environment:
    """A new virtual environment."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True, symlinks=True)
        self.bin = folder / "bin"
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.packages = folder / "lib" / version / "site-packages"

    def run(self, *command: str) -> str:
        """What `command`, a script of the environment, prints."""
        program = [str(self.bin / command[0]), *command[1:]]
        done = subprocess.run(
            program, cwd=self.bin, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def install(self, *what: str) -> None:
        quiet = ("--quiet", "--disable-pip-version-check", "--no-compile")
        self.run(
            "python", "-m", "pip", "install", *quiet, "-c", str(CONSTRAINTS), *what
        )

    def size_bytes(self) -> int:
        files = (path for path in self.packages.rglob("*") if path.is_file())
        return sum(path.stat().st_size for path in files)


@pytest.fixture(scope="module")
def added_bytes() -> list[int]:
    return []


@pytest.fixture(scope="module")
def agent(
    tmp_path_factory: pytest.TempPathFactory, added_bytes: list[int]
) -> Environment:
    """An environment with the usual OpenTelemetry packages, then Farthing's base."""
    environment = Environment(tmp_path_factory.mktemp("agent"))
    environment.install(*USUAL)
    before = environment.size_bytes()
    environment.install(str(ROOT))
    added_bytes.append(environment.size_bytes() - before)
    return environment


@pytest.mark.parametrize("package", NOT_FOR_AGENTS)
def test_what_an_agent_may_not_need_stays_out(agent: Environment, package: str) -> None:
    """Neither what only the collector needs nor an SDK is installed beside an agent."""
    names = {path.name.lower() for path in agent.packages.glob("*.dist-info")}
    own = package.replace("-", "_") + "-"
    assert [name for name in names if name.startswith(own)] == []


def test_little_is_added(agent: Environment, added_bytes: list[int]) -> None:
    """Farthing adds less than 30 MB to an application that exports traces already."""
    assert agent.packages.is_dir()
    [added] = added_bytes
    print(f"added to an agent's environment: {added / 1e6:.1f} MB")  # noqa: T201
    assert 0 < added < MAX_ADDED_BYTES


def test_what_an_agent_needs_can_be_imported(agent: Environment) -> None:
    """The agent's modules import without the collector's packages, and import none
    of the servers and databases that the environment happens to hold."""
    code = (
        "import sys\n"
        "import farthing.semconv, farthing.plugins, farthing.errors\n"
        "import farthing.economics, farthing.instrumentation\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    loaded = set(agent.run("python", "-c", code).split())
    assert loaded & {"grpc", "requests"} == set()


def test_the_command_line_answers(agent: Environment) -> None:
    """`farthing --help` works without the collector's packages, and so does what agents
    need of it."""
    assert agent.run("farthing", "--help").startswith("Usage: farthing")
    assert agent.run("farthing", "run", "--help").startswith("Usage: farthing run")
    python = str(agent.bin / "python")
    assert agent.run("farthing", "run", "--", python, "-c", "print('ran')") == "ran\n"


def test_an_agent_can_be_checked(agent: Environment) -> None:
    """`farthing doctor --agent` says without the collector's packages that no collector
    answers, and ends with 1."""
    doctor = subprocess.run(
        [agent.bin / "farthing", "doctor", "--agent"],
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert doctor.returncode == 1, doctor.stderr
    assert "PROBLEM  endpoint" in doctor.stdout
    assert "no library that makes model calls is installed" in doctor.stdout
