"""deploy/clickhouse: what ClickHouse is told, checked against the engine itself."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "deploy/clickhouse/config.d/farthing.xml"
USERS = ROOT / "deploy/clickhouse/users.d/farthing.xml"

# Sections of the server's configuration that are not among its settings.
SECTIONS = {"logger", "mysql_port", "postgresql_port", "send_crash_reports"}

# Run by a process of its own: an engine cannot share one with other tests' engines.
ASK_THE_ENGINE = """
import json, sys
import chdb

def names(table):
    return chdb.query(f"SELECT name FROM system.{table}", "CSV").data().replace('"', "")

def create(table):
    return str(chdb.query(
        f"CREATE TEMPORARY TABLE t (event_date Date) ENGINE = MergeTree"
        f" PARTITION BY {table['partition_by']} ORDER BY event_date TTL {table['ttl']}"
    ))

for table in json.loads(sys.argv[1]):
    create(table)
    chdb.query("DROP TABLE IF EXISTS t")
print(json.dumps({t: names(t).split() for t in ("server_settings", "settings")}))
"""


def logs() -> dict[str, ET.Element]:
    return {e.tag: e for e in ET.parse(CONFIG).getroot() if e.tag.endswith("_log")}


def kept() -> dict[str, ET.Element]:
    return {name: log for name, log in logs().items() if log.get("remove") is None}


@pytest.fixture(scope="module")
def engine() -> dict[str, list[str]]:
    """Names of the engine's settings, after it has accepted each table's lifetime."""
    tables = [{e.tag: e.text for e in log} for log in kept().values()]
    command = [sys.executable, "-c", ASK_THE_ENGINE, json.dumps(tables)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    answer: dict[str, list[str]] = json.loads(run.stdout)
    return answer


def test_server_settings_exist(engine: dict[str, list[str]]) -> None:
    """Whatever is set for the server is a setting of the release tested with."""
    tags = {e.tag for e in ET.parse(CONFIG).getroot()} - SECTIONS - set(logs())
    assert tags
    assert tags <= set(engine["server_settings"])


@pytest.mark.parametrize("user", ["farthing", "reader"])
def test_settings_of_a_profile_exist(engine: dict[str, list[str]], user: str) -> None:
    """Whatever a user's profile sets is a setting of that release."""
    profile = ET.parse(USERS).getroot().find(f"profiles/{user}")
    assert profile is not None
    tags = {e.tag for e in profile} - {"constraints"}
    tags |= {e.tag for e in profile.findall("constraints/*")}
    assert tags
    assert tags <= set(engine["settings"])


def test_the_servers_own_tables_stay_small(engine: dict[str, list[str]]) -> None:
    """A table of the server's own is removed, or loses its rows after a week; the ones
    that grow by themselves on an idle server are removed."""
    assert engine["settings"]
    assert set(kept()) == {"query_log", "part_log", "error_log"}
    for log in kept().values():
        assert log.findtext("ttl") == "event_date + INTERVAL 7 DAY DELETE"
    growing = {
        "asynchronous_metric_log",
        "metric_log",
        "processors_profile_log",
        "query_metric_log",
        "text_log",
        "trace_log",
    }
    assert growing <= set(logs()) - set(kept())


def test_the_collectors_user_is_the_one_that_compose_names() -> None:
    """The user in the collector's store URL exists, with the password that Compose
    passes, and nobody else can log in from outside."""
    services: dict[str, Any] = yaml.safe_load(
        (ROOT / "docker-compose.yml").read_text()
    )["services"]
    store = services["collector"]["environment"]["FARTHING_STORE"]
    users = ET.parse(USERS).getroot().find("users")
    assert users is not None
    assert {user.tag for user in users} == {"farthing", "reader", "default"}
    assert store.startswith("clickhouse://farthing:${LEDGER_PASSWORD:?")
    password = users.find("farthing/password")
    assert password is not None
    assert password.get("from_env") in services["clickhouse"]["environment"]
    networks = users.findall("default/networks/ip")
    assert {ip.text for ip in networks} == {"127.0.0.1", "::1"}


def test_a_profile_that_a_user_has_is_defined() -> None:
    """Our users have the profiles that this file defines."""
    root = ET.parse(USERS).getroot()
    for user in ("farthing", "reader"):
        profile = root.findtext(f"users/{user}/profile")
        assert profile is not None
        assert root.find(f"profiles/{profile}") is not None


def test_the_reader_only_reads() -> None:
    """Grafana's user is read-only and may read the ledger and what says how large it
    is, nothing else; it may set how long a query takes, which the plugin does."""
    root = ET.parse(USERS).getroot()
    assert root.findtext("profiles/reader/readonly") == "1"
    free = root.findall("profiles/reader/constraints/*[changeable_in_readonly]")
    assert [e.tag for e in free] == ["max_execution_time"]
    grants = [e.text or "" for e in root.findall("users/reader/grants/query")]
    assert grants[0] == "GRANT SELECT ON farthing.*"
    assert all(grant.startswith("GRANT SELECT ON system.") for grant in grants[1:])
