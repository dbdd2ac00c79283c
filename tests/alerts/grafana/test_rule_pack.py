"""Grafana's provisioning files: they read what Farthing found, and detect nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import alerting, expr

from farthing.collector.store.ledger import Ledger
from tests.alerts.ledger import own_ledger

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


def test_policies_are_for_those_who_ask() -> None:
    """In a file beside the pack: what is Farthing's goes to its contact point, and
    everything else where it went before; as Grafana's own model reads it."""
    [tree] = told("../alerting-policies.yaml")["policies"]
    assert tree.pop("orgId") == 1
    read = alerting.NotificationPolicy.from_json(tree)
    assert json.loads(json.dumps(read, cls=JSONEncoder)) == tree
    assert tree["receiver"] == "grafana-default-email"
    [ours] = tree["routes"]
    [group] = told("rules.yaml")["groups"]
    assert ours["object_matchers"] == [["grafana_folder", "=", group["folder"]]]
    of_rule = group["rules"][0]["notification_settings"]
    assert {name: ours[name] for name in of_rule} == of_rule


def test_every_template_that_is_used_is_there() -> None:
    """By its name."""
    used = set(
        re.findall(r'template "([^"]+)"', (FOLDER / "contact-points.yaml").read_text())
    )
    [templates] = told("templates.yaml")["templates"]
    assert used == set(re.findall(r'define "([^"]+)"', templates["template"]))


def keys(words: str, **inside: Any) -> dict[str, Any]:
    """Keys that hold values, and those that hold keys, or None for anything."""
    return {key: {} for key in words.split()} | inside


KNOWN = keys(
    "apiVersion",
    groups=keys(
        "orgId name folder interval",
        rules=keys(
            "uid title condition for keepFiringFor noDataState execErrState isPaused"
            " missing_series_evals_to_resolve",
            annotations=None,
            labels=None,
            notification_settings=keys(
                "receiver group_by group_wait group_interval repeat_interval"
            ),
            data=keys(
                "refId queryType datasourceUid",
                relativeTimeRange=keys("from to"),
                model=None,
            ),
        ),
    ),
    contactPoints=keys(
        "orgId name",
        receivers=keys("uid type disableResolveMessage", settings=None),
    ),
    templates=keys("orgId name template"),
)
"""The keys that Grafana reads from such files; None is anything. Source: the types in
grafana/grafana, pkg/services/provisioning/alerting (rules_types.go,
contact_point_types.go, text_templates_types.go). They are not those of its HTTP API."""


def unknown(value: Any, known: Any, at: str = "") -> list[str]:
    """Keys that Grafana does not read."""
    if known is None:
        return []
    if isinstance(value, list):
        return [key for each in value for key in unknown(each, known, at)]
    if not isinstance(value, dict):
        return []
    found = [f"{at}.{key}" for key in value if key not in known]
    inside = (unknown(value[k], known[k], f"{at}.{k}") for k in value if k in known)
    return found + [key for some in inside for key in some]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda p: p.name)
def test_grafana_knows_every_key(path: Path) -> None:
    """It drops those that it does not know without a word."""
    assert unknown(told(path.name), KNOWN) == []


def test_an_unknown_key_shows() -> None:
    """As that of the HTTP API would, in a file."""
    rules = [{"missingSeriesEvalsToResolve": 1}]
    assert unknown({"groups": [{"rules": rules}]}, KNOWN) == [
        ".groups.rules.missingSeriesEvalsToResolve"
    ]


def test_states_and_the_condition_are_grafanas() -> None:
    """What Grafana's own models allow; the condition is a threshold over the query."""
    kinds = get_type_hints(alerting.Rule)
    for rule in rules():
        assert rule["noDataState"] in get_args(kinds["no_data_state"])
        assert rule["execErrState"] in get_args(kinds["exec_err_state"])
        query, condition = rule["data"]
        assert condition["refId"] == rule["condition"]
        model = condition["model"]
        read = expr.TypeThreshold.from_json(model)
        assert json.loads(json.dumps(read, cls=JSONEncoder)) == model
        assert model["expression"] == query["refId"]


def test_dollars_of_templates_are_not_taken_for_variables() -> None:
    """Annotations and queries are read as they are, all else has `$` for Grafana's
    environment: labels would be `$$labels` there."""
    for rule in rules():
        raw = {"annotations", "data"}
        rest = str({key: value for key, value in rule.items() if key not in raw})
        assert "$" not in rest
        for text in rule["annotations"].values():
            assert set(re.findall(r"\$+\w*", text)) <= {"$labels"}
    assert "$" not in (FOLDER / "templates.yaml").read_text()


def test_labels_that_are_told_are_columns_of_the_query(shared_ledger: Ledger) -> None:
    """What annotations, grouping and contact points name, comes with each series."""
    by_grafana = {"alertname", "grafana_folder"}
    points = (FOLDER / "contact-points.yaml").read_text()
    for rule in rules():
        [sql] = queries(rule)
        described = shared_ledger.store.rows(f"DESCRIBE TABLE ({sql})")
        known = {str(row["name"]) for row in described} | by_grafana
        used = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
        used |= set(re.findall(r"\.CommonLabels\.(\w+)", points))
        used |= set(rule["notification_settings"]["group_by"])
        assert used <= known


def test_an_alert_that_fires_is_a_row(shared_ledger: Ledger) -> None:
    """Acknowledged or not; one that is resolved, or that nobody is to be told of, is
    none: what is no row any more is resolved in Grafana."""
    [rule] = rules()
    [sql] = queries(rule)
    with own_ledger(shared_ledger.store, "rule_pack") as store:
        rows = [instance(name, state, muted) for name, state, muted in INSTANCES]
        store.insert("alert_instances", list(rows[0]), [list(r.values()) for r in rows])
        found = store.rows(sql)
    assert {row["subject"]: row["fires"] for row in found} == {"run-1": 1, "run-4": 1}


INSTANCES = [
    ("run-1", "firing", ""),
    ("run-2", "firing", "silenced"),
    ("run-3", "firing", ""),
    ("run-3", "resolved", ""),
    ("run-4", "acknowledged", ""),
]
"""What is written of alerts, in order: subject, state, why nobody is told."""


def instance(subject: str, state: str, muted: str) -> dict[str, Any]:
    sequence = 1 + (state == "resolved")
    told = {"id": subject, "rule": "run-cost", "shown": subject, "subject": subject}
    return told | {"state": state, "muted": muted, "version": sequence}


def test_no_secret_is_in_the_pack() -> None:
    """Keys and addresses are names of variables."""
    for point in told("contact-points.yaml")["contactPoints"]:
        for receiver in point["receivers"]:
            settings = receiver["settings"]
            secret = settings.get("url") or settings.get("integrationKey")
            assert re.fullmatch(r"\$FARTHING_\w+", secret)
