"""deploy/grafana: what Grafana is provisioned with, checked without Grafana."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any, Final

import yaml

from farthing.dashboards.catalogue import DASHBOARDS, panels
from farthing.dashboards.grafana import PLUGIN, files

ROOT: Final = Path(__file__).parents[2]
PROVISIONING: Final = ROOT / "deploy/grafana/provisioning"
SERVICES: Final[dict[str, dict[str, Any]]] = yaml.safe_load(
    (ROOT / "docker-compose.yml").read_text()
)["services"]
USERS: Final = ROOT / "deploy/clickhouse/users.d/farthing.xml"


def provisioned(kind: str, name: str = "farthing") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(
        (PROVISIONING / kind / f"{name}.yaml").read_text()
    )
    assert found["apiVersion"] == 1
    return found


def mounted() -> dict[str, str]:
    """Where each file of the repository is in Grafana's container."""
    volumes = (volume.split(":") for volume in SERVICES["grafana"]["volumes"])
    return {parts[0]: parts[1] for parts in volumes}


def test_the_data_source_is_the_ledger() -> None:
    """The plugin that the dashboards ask for, at the service that has the ledger, as
    the user who reads, with the password that Compose passes to both."""
    [source] = provisioned("datasources")["datasources"]
    assert source["type"] == PLUGIN
    assert SERVICES["grafana"]["environment"]["GF_PLUGINS_PREINSTALL_SYNC"] == PLUGIN
    asked = source["jsonData"]
    assert asked["host"] in SERVICES["grafana"]["depends_on"]
    assert asked["defaultDatabase"] == "farthing"
    user = ET.parse(USERS).getroot().find(f"users/{asked['username']}/password")
    assert user is not None
    name = user.get("from_env")
    assert source["secureJsonData"]["password"] == f"${name}"
    for service in ("grafana", "clickhouse"):
        assert SERVICES[service]["environment"][name].startswith(f"${{{name}:?")


def test_files_are_mounted_where_grafana_looks() -> None:
    """Each file of provisioning is at its place below /etc/grafana/provisioning, and
    the dashboards are where their provider looks."""
    for path in PROVISIONING.rglob("*.yaml"):
        source = f"./{path.relative_to(ROOT)}"
        inside = path.relative_to(PROVISIONING)
        assert mounted()[source] == f"/etc/grafana/provisioning/{inside}"
    [provider] = provisioned("dashboards")["providers"]
    assert mounted()["./dashboards/grafana"] == provider["options"]["path"]
    assert provider["type"] == "file"


def test_the_alert_pack_is_complete() -> None:
    """The rule and the texts are mounted; the rule asks the data source that is there
    and sends to the contact point that is there, which needs no secret to start."""
    alerting = ROOT / "deploy/grafana/alerting"
    for name in ("rules", "templates"):
        inside = f"/etc/grafana/provisioning/alerting/{name}.yaml"
        assert mounted()[f"./deploy/grafana/alerting/{name}.yaml"] == inside
    [group] = yaml.safe_load((alerting / "rules.yaml").read_text())["groups"]
    [source] = provisioned("datasources")["datasources"]
    [contact] = provisioned("alerting", "contact-points")["contactPoints"]
    for rule in group["rules"]:
        assert rule["notification_settings"]["receiver"] == contact["name"]
        asked = {query["datasourceUid"] for query in rule["data"]}
        assert asked == {source["uid"], "__expr__"}
    [receiver] = contact["receivers"]
    name = receiver["settings"]["addresses"].removeprefix("$")
    assert SERVICES["grafana"]["environment"][name].startswith(f"${{{name}:-")
    texts = (alerting / "templates.yaml").read_text()
    for setting in ("subject", "message"):
        [used] = re.findall(r'template "([^"]+)"', receiver["settings"][setting])
        assert f'define "{used}"' in texts


def test_every_dashboard_is_among_the_files() -> None:
    """The folder that is mounted has a file per dashboard, and no other."""
    found = {path.name for path in (ROOT / "dashboards/grafana").iterdir()}
    assert found == set(files()) == {f"{board.id}.json" for board in DASHBOARDS}


def test_the_reader_may_read_what_panels_ask() -> None:
    """No panel reads a table that the reader is not granted."""
    grants = "\n".join(
        e.text or "" for e in ET.parse(USERS).getroot().findall("users/reader/grants/*")
    )
    asked = {
        table
        for panel in panels().values()
        for table in re.findall(r"\b(?:FROM|(?<!ARRAY )JOIN) (\w+\.\w+)", panel.text)
    }
    assert asked == {"system.parts"}
    assert all(f"ON {table}" in grants for table in asked)
