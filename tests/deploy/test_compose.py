"""docker-compose.yml and Dockerfile, as far as they can be checked without Docker."""

from __future__ import annotations

import json
import os
import re
import shlex
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from farthing.collector.config import load_settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

# The part of the Compose specification that is used here: a key that is misspelt, or
# in the wrong place, is not among them.
SERVICE_KEYS = {
    "build",
    "cap_drop",
    "depends_on",
    "environment",
    "healthcheck",
    "image",
    "logging",
    "mem_limit",
    "pids_limit",
    "ports",
    "read_only",
    "restart",
    "security_opt",
    "stop_grace_period",
    "tmpfs",
    "ulimits",
    "volumes",
}
HEALTHCHECK_KEYS = {"test", "interval", "timeout", "start_period", "retries"}
PINNED = re.compile(r"[\w./-]+:\d+\.\d+\.\d+[\w.-]*")
VARIABLE = re.compile(r"\$\{(\w+)(?::(\?|-)([^}]*))?\}")

SECRETS = ("FARTHING_TOKEN", "LEDGER_PASSWORD", "READER_PASSWORD", "GRAFANA_PASSWORD")

each_service = pytest.mark.parametrize("name", SERVICES)


def instructions() -> list[tuple[str, str]]:
    """(instruction, rest) of each line of the Dockerfile, continuations joined."""
    lines = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    split = (line.split(maxsplit=1) for line in lines if line and line[0] != "#")
    return [(word, rest) for word, rest in split]


def image_environment() -> dict[str, str]:
    """The variables that the final stage of the Dockerfile sets."""
    start = max(i for i, (word, _) in enumerate(instructions()) if word == "FROM")
    return dict(
        pair.split("=", 1)
        for word, rest in instructions()[start:]
        if word == "ENV"
        for pair in shlex.split(rest)
    )


def interpolated(text: str, given: dict[str, str]) -> str:
    return VARIABLE.sub(lambda m: given.get(m[1], m[3] if m[2] == "-" else ""), text)


def container_environment() -> dict[str, str]:
    """What the collector's process finds in its environment, with sample secrets."""
    given = {"FARTHING_TOKEN": "a-token", "LEDGER_PASSWORD": "secret"}
    own = SERVICES["collector"]["environment"]
    return image_environment() | {k: interpolated(v, given) for k, v in own.items()}


@each_service
def test_services_are_written_in_known_keys(name: str) -> None:
    """Every key of a service is one that Compose knows at that place."""
    service = SERVICES[name]
    assert set(service) <= SERVICE_KEYS
    assert set(service.get("healthcheck", {})) <= HEALTHCHECK_KEYS
    assert set(COMPOSE) == {"name", "services", "volumes"}


@each_service
def test_images_are_pinned(name: str) -> None:
    """No image is `latest`: each names a release down to its patch."""
    assert PINNED.fullmatch(SERVICES[name]["image"])


@each_service
def test_services_are_limited(name: str) -> None:
    """A service is limited in memory and logs, and starts again after a crash."""
    service = SERVICES[name]
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert service["restart"] == "unless-stopped"


def test_the_collectors_image_has_the_projects_version() -> None:
    """The image that Compose builds is tagged with the version in pyproject.toml."""
    assert (
        SERVICES["collector"]["image"] == f"farthing:{PYPROJECT['project']['version']}"
    )


def test_the_server_is_no_older_than_the_engine_that_tests_the_sql() -> None:
    """ClickHouse's release is at least that of the embedded engine."""
    _, tag = SERVICES["clickhouse"]["image"].split(":")
    tested = version("chdb-core").split(".")[:2]
    assert [int(n) for n in tag.split(".")[:2]] >= [int(n) for n in tested]


def test_secrets_are_asked_for_and_have_no_default() -> None:
    """Compose refuses to start without the token and the password, and says which."""
    text = (ROOT / "docker-compose.yml").read_text()
    used = {name: kind for name, kind, _ in VARIABLE.findall(text)}
    optional = dict.fromkeys(("PUBLISH_ON", "ALERT_EMAIL"), "-")
    assert used == dict.fromkeys(SECRETS, "?") | optional
    assert set(used) == set(re.findall(r"^#   ([A-Z_]+) ", text, re.M))


def test_the_collector_waits_for_a_healthy_ledger() -> None:
    """What a service depends on exists and has the health check that is waited for."""
    for service in SERVICES.values():
        for needed, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert SERVICES[needed]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert "clickhouse" in SERVICES["collector"]["depends_on"]


def test_volumes_are_declared_and_mounted_files_exist() -> None:
    """A volume is one of the file's own, or a part of this repository, read-only."""
    for service in SERVICES.values():
        for volume in service["volumes"]:
            source, target, *mode = volume.split(":")
            assert target.startswith("/")
            if source.startswith("./"):
                assert (ROOT / source).exists()
                assert mode == ["ro"]
            else:
                assert source in COMPOSE["volumes"]


def test_the_ports_of_compose_image_and_collector_agree() -> None:
    """What Compose publishes is what the image exposes and the collector listens on."""
    published = {port.rsplit(":", 1)[1] for port in SERVICES["collector"]["ports"]}
    exposed = {
        p for word, rest in instructions() if word == "EXPOSE" for p in rest.split()
    }
    listens = {
        value.rsplit(":", 1)[1]
        for name, value in image_environment().items()
        if name.endswith("_LISTEN")
    }
    assert published == exposed == listens


def test_ports_are_published_on_this_machine_only_unless_asked() -> None:
    """Without PUBLISH_ON, nothing is reachable from other machines."""
    for service in ("collector", "grafana"):
        for port in SERVICES[service]["ports"]:
            assert interpolated(port, {}).startswith("127.0.0.1:")
    assert "ports" not in SERVICES["clickhouse"]


def test_the_spool_is_on_a_volume() -> None:
    """Accepted spans survive the container: the data folder is the mounted volume."""
    folder = image_environment()["FARTHING_DATA_DIR"]
    assert f"spool:{folder}" in SERVICES["collector"]["volumes"]
    assert ("VOLUME", folder) in instructions()
    assert ("WORKDIR", folder) in instructions()


def test_the_image_is_built_from_what_the_project_packages() -> None:
    """The Dockerfile copies every portion and what the build needs, none of it ignored,
    and builds and runs on one pinned release of Python."""
    copied: set[str] = set()
    for word, rest in instructions():
        if word == "COPY" and not rest.startswith("--from"):
            copied.update(rest.split()[:-1])
    assert [name for name in copied if not (ROOT / name).exists()] == []
    needed = {"pyproject.toml", "constraints.txt", "README.md", "LICENSE"}
    assert copied == needed | set(PYPROJECT["tool"]["hatch"]["build"]["dev-mode-dirs"])
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {f"!{name}" for name in copied} <= set(ignored)
    [base] = {rest.split()[0] for word, rest in instructions() if word == "FROM"}
    assert PINNED.fullmatch(base)


def test_the_image_runs_the_collector_as_nobody_in_particular() -> None:
    """The container starts `farthing up`, not as root, and is asked if it is ready."""
    last = dict(instructions())
    assert json.loads(last["ENTRYPOINT"]) == ["farthing"]
    assert json.loads(last["CMD"]) == ["up"]
    assert int(last["USER"].split(":")[0]) > 0
    assert "/readyz" in last["HEALTHCHECK"]


def test_the_health_check_is_a_program() -> None:
    """The Python of the image's health check compiles and asks the receiving port."""
    [check] = [rest for word, rest in instructions() if word == "HEALTHCHECK"]
    _, flag, program = json.loads(check[check.index("[") :])
    assert flag == "-c"
    compile(program, "HEALTHCHECK", "exec")
    port = image_environment()["FARTHING_HTTP_LISTEN"].rsplit(":", 1)[1]
    assert f"http://127.0.0.1:{port}/readyz" in program


def test_the_collector_understands_its_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The environment that the container gets is a configuration that the collector
    accepts, and every variable in it is one of its settings."""
    ours = {
        k: v for k, v in container_environment().items() if k.startswith("FARTHING_")
    }
    for name in [name for name in os.environ if name.startswith("FARTHING_")]:
        monkeypatch.delenv(name)
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    fields = {name.removeprefix("FARTHING_").lower() for name in ours}
    assert fields <= set(type(settings).model_fields)
    assert fields == settings.model_fields_set
    assert settings.store_url == "clickhouse://farthing:secret@clickhouse:8123/farthing"
