"""Grafana's JSON: fresh, in Grafana's schema, and nothing dropped."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins

from farthing.dashboards.catalogue import DASHBOARDS, Dashboard, variables
from farthing.dashboards.grafana import SCHEMA_VERSION, compiled, files, uid

with warnings.catch_warnings():  # the SDK would rather have the newest form
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.models.dashboard import Dashboard as Schema

FOLDER: Final = Path(__file__).parents[2] / "dashboards/grafana"
OF_THE_PLUGIN: Final = {"editorType", "rawSql", "format", "queryType", "pluginVersion"}
"""Keys of the ClickHouse plugin's queries, which Grafana's schema leaves to it."""

each_dashboard = pytest.mark.parametrize("board", DASHBOARDS, ids=lambda b: b.id)


def dropped(given: Any, kept: Any, path: str = "") -> Iterator[str]:
    """Where `kept` lacks something of `given`, or has something else."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key not in kept:
                yield f"{path}.{key}"
            else:
                yield from dropped(value, kept[key], f"{path}.{key}")
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for index, (one, other) in enumerate(zip(given, kept, strict=True)):
            yield from dropped(one, other, f"{path}[{index}]")
    elif given != kept:
        yield f"{path}: {given!r} is {kept!r}"


def test_the_files_are_fresh() -> None:
    """dashboards/grafana holds what the panels say: `farthing dashboards build`."""
    found = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.json")}
    assert found == dict(files())


@each_dashboard
def test_nothing_is_dropped_in_a_round_trip(board: Dashboard) -> None:
    """Grafana's own schema knows every key, but for those of the plugin's queries."""
    register_default_plugins()
    given = compiled(board)
    kept = json.loads(json.dumps(Schema.from_json(given), cls=JSONEncoder))
    unknown = [
        path
        for path in dropped(given, kept)
        if ".targets[" not in path or path.rpartition(".")[2] not in OF_THE_PLUGIN
    ]
    assert unknown == []


def test_the_schema_check_sees_what_is_wrong() -> None:
    """A key that Grafana does not know is found, wherever it is."""
    register_default_plugins()
    given = compiled(DASHBOARDS[0])
    given["panels"][0]["options"]["colourMode"] = "value"
    given["timezones"] = "utc"
    kept = json.loads(json.dumps(Schema.from_json(given), cls=JSONEncoder))
    found = set(dropped(given, kept))
    assert {".panels[0].options.colourMode", ".timezones"} <= found


@each_dashboard
def test_a_dashboard_loads_on_grafana_11_6(board: Dashboard) -> None:
    """Classic JSON: a uid of at most 40 characters, panels with ids of their own that
    do not overlap, the data source as a variable."""
    made = compiled(board)
    assert len(made["uid"]) <= 40
    assert made["uid"] == uid(board.id)
    assert 39 <= SCHEMA_VERSION <= 42
    ids = [panel["id"] for panel in made["panels"]]
    assert ids == list(range(1, len(ids) + 1))
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in made["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    names = [variable["name"] for variable in made["templating"]["list"]]
    assert names == ["datasource", *(v.name for v in variables(board))]


@each_dashboard
def test_red_and_amber_mean_something(board: Dashboard) -> None:
    """No value has a colour but by thresholds of its own: Grafana's default would paint
    every number above 80 red."""
    for panel in compiled(board)["panels"]:
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["thresholds"]["steps"][0] == {"value": None, "color": "text"}
        assert panel["description"]
