"""Every page over the demo's week."""

from __future__ import annotations

from html import unescape

import pytest
from starlette.testclient import TestClient

from farthing.collector.demo.incidents import LOOP_RUN_ID
from farthing.collector.web.page.frame import NAV
from farthing.dashboards.catalogue import DASHBOARDS, dashboard, panel


def test_the_nine_dashboards_can_be_gone_to() -> None:
    """The menu names the dashboards of the catalogue, in its order."""
    assert list(NAV) == [board.id for board in DASHBOARDS]


@pytest.mark.parametrize("name", [name for name in NAV if name != "run"])
def test_a_dashboard_shows_its_panels(web: TestClient, name: str) -> None:
    """A dashboard's page has its title, its question and every panel, none failed."""
    board = dashboard(name)
    answer = web.get(NAV[name][0])
    assert answer.status_code == 200
    for told in (board.title, *(panel(one).title for one in board.panels)):
        assert told in unescape(answer.text)
    assert all(f'data-panel="{one}"' in answer.text for one in board.panels)
    assert 'class="problem"' not in answer.text


@pytest.mark.parametrize("name", [name for name in NAV if name != "run"])
def test_what_a_panel_leaves_out_is_in_sight(web: TestClient, name: str) -> None:
    """A panel that looks at the newest runs alone says so beside its question."""
    text = unescape(web.get(NAV[name][0]).text)
    for one in map(panel, dashboard(name).panels):
        if one.limit:
            assert f"{one.question} · {one.limit}</p>" in text


def test_a_run(web: TestClient) -> None:
    """A run's page has its panels, but for the list of all runs."""
    answer = web.get(f"/runs/{LOOP_RUN_ID}")
    assert answer.status_code == 200
    for one in dashboard("run").panels:
        assert (f'data-panel="{one}"' in answer.text) == (one != "runs")
