"""Grafana's provisioning files: they read what Farthing found, and detect nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from farthing.collector.store.ledger import Ledger

FOLDER = Path(__file__).parents[3] / "deploy/grafana/alerting"


def told(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return loaded


def rules() -> list[dict[str, Any]]:
    return [rule for group in told("rules.yaml")["groups"] for rule in group["rules"]]


def queries(rule: dict[str, Any]) -> list[str]:
    return [d["model"]["rawSql"] for d in rule["data"] if "rawSql" in d["model"]]


def test_rules_read_alert_instances_alone(shared_ledger: Ledger) -> None:
    """Each query runs on the ledger as it is, has one number, which is a float as
    Grafana wants it, and reads no other table."""
    for rule in rules():
        [sql] = queries(rule)
        assert re.findall(r"\b(?:FROM|JOIN)\s+(\w+)", sql) == ["alert_instances"]
        described = shared_ledger.store.rows(f"DESCRIBE TABLE ({sql})")
        types = {str(row["name"]): str(row["type"]) for row in described}
        assert not {"title", "summary", "muted"} & types.keys()  # they change
        numbers = [n for n, kind in types.items() if "String" not in kind]
        assert numbers == ["fires"]
        assert types["fires"] == "Float64"


def test_rules_send_to_the_contact_point_of_the_pack() -> None:
    """Without a policy: Grafana's own are replaced whole by a file with policies."""
    points = {point["name"] for point in told("contact-points.yaml")["contactPoints"]}
    assert {rule["notification_settings"]["receiver"] for rule in rules()} <= points
    files = [path.read_text() for path in FOLDER.glob("*.yaml")]
    assert not any("policies:" in text for text in files)


def test_every_template_that_is_used_is_there() -> None:
    """By its name."""
    used = set(
        re.findall(r'template "([^"]+)"', (FOLDER / "contact-points.yaml").read_text())
    )
    [templates] = told("templates.yaml")["templates"]
    assert used == set(re.findall(r'define "([^"]+)"', templates["template"]))


def test_dollars_of_templates_are_not_taken_for_variables() -> None:
    """In rules `$` is Grafana's environment: labels are written `$$labels`."""
    for name in ("rules.yaml", "templates.yaml"):
        text = (FOLDER / name).read_text()
        assert re.findall(r"(?<!\$)\$(?!\$)\w*", text) == []


def test_no_secret_is_in_the_pack() -> None:
    """Keys and addresses are names of variables."""
    for point in told("contact-points.yaml")["contactPoints"]:
        for receiver in point["receivers"]:
            settings = receiver["settings"]
            secret = settings.get("url") or settings.get("integrationKey")
            assert re.fullmatch(r"\$FARTHING_\w+", secret)
