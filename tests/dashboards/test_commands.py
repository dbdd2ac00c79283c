"""`farthing dashboards`: files, and a Grafana on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from farthing.cli import main
from farthing.dashboards.catalogue import DASHBOARDS
from farthing.dashboards.grafana import compiled, uid
from tests.dashboards.loopback_grafana import TOKEN, LoopbackGrafana, running

OURS = [uid(board.id) for board in DASHBOARDS]


@pytest.fixture
def grafana() -> Iterator[LoopbackGrafana]:
    with running() as made:
        yield made


def push(grafana: LoopbackGrafana, *options: str, token: str = TOKEN) -> Result:
    command = ["dashboards", "push", grafana.url, "--token-file", "-", *options]
    return CliRunner().invoke(main, command, input=f"{token}\n")


def test_push_writes_each_dashboard_into_a_folder(grafana: LoopbackGrafana) -> None:
    """All dashboards are there, unchanged, in a folder that is made for them."""
    done = push(grafana)
    assert done.exit_code == 0, done.output
    assert grafana.folders == {"farthing": "Farthing"}
    assert set(grafana.folder_of.values()) == {"farthing"}
    for board in DASHBOARDS:
        held = grafana.dashboards[uid(board.id)]
        assert compiled(board).items() <= held.items()
        assert f"{grafana.url}/d/{uid(board.id)}" in done.output


def test_push_again_changes_nothing(grafana: LoopbackGrafana) -> None:
    """What is the same is not written again, and no second folder is made."""
    push(grafana)
    again = push(grafana)
    assert grafana.written == OURS
    assert f"0 written, {len(OURS)} are the same" in again.output
    assert list(grafana.folders) == ["farthing"]


def test_only_what_differs_is_written(grafana: LoopbackGrafana) -> None:
    """A dashboard that somebody edited is written over, the others are left alone; what
    Grafana adds by itself is no difference."""
    push(grafana)
    edited = grafana.dashboards[uid("cost")]
    edited["panels"][0]["title"] = "Mine"
    grafana.dashboards[uid("cache")]["weekStart"] = ""
    dry = push(grafana, "--dry-run", "--diff")
    assert dry.exit_code == 1
    assert '-   "title": "Mine",' in dry.output
    assert "1 would be written" in dry.output
    assert grafana.written == OURS
    push(grafana)
    assert grafana.written == [*OURS, uid("cost")]
    assert grafana.dashboards[uid("cost")]["version"] == 2


def test_a_dry_run_writes_nothing(grafana: LoopbackGrafana) -> None:
    """A dry run names what is new, ends with 1 and makes not even the folder."""
    dry = push(grafana, "--dry-run")
    assert dry.exit_code == 1
    assert dry.output.count("new: ") == len(OURS)
    assert grafana.written == []
    assert grafana.folders == {}


def test_a_folder_of_another_name(grafana: LoopbackGrafana) -> None:
    """A folder that is there by its title is used, one that is not is made."""
    grafana.folders["abc"] = "Costs"
    assert push(grafana, "--folder", "Costs").exit_code == 0
    assert set(grafana.folder_of.values()) == {"abc"}


def test_user_and_password_in_the_url(grafana: LoopbackGrafana) -> None:
    """Without a token the user of the URL is taken, and never shown."""
    url = grafana.url.replace("//", "//admin:a%20b@")
    done = CliRunner().invoke(main, ["dashboards", "push", url])
    assert done.exit_code == 0, done.output
    assert "a%20b" not in done.output
    assert "a b" not in done.output


@pytest.mark.parametrize(
    ("failure", "says"),
    [
        ((401, {"message": "Invalid API key"}), "--token-file"),
        ((403, {"message": "Access denied"}), "Editor"),
        ((400, {"message": "Cannot save provisioned dashboard"}), "provisioned"),
        ((500, {"message": "disk full"}), "disk full"),
        ((502, b"<html>Bad gateway</html>"), "Bad gateway"),
        ((200, b"<html>Sign in</html>"), "no answer of Grafana"),
        ((200, {"status": "ok"}), "no answer of Grafana"),
        ((200, ["ok"]), "no answer of Grafana"),
    ],
)
def test_what_can_go_wrong_is_said(
    grafana: LoopbackGrafana, failure: tuple[int, object], says: str
) -> None:
    """Whatever is answered, the command ends with 1 and one line that helps."""
    grafana.failure = failure
    done = push(grafana)
    assert done.exit_code == 1
    assert says in done.output
    assert len(done.output.strip().splitlines()) == 1
    assert TOKEN not in done.output


def test_a_token_that_is_wrong(grafana: LoopbackGrafana) -> None:
    """A wrong token is said to be one, and not shown."""
    done = push(grafana, token="glsa_other")
    assert done.exit_code == 1
    assert "Unauthorized" in done.output
    assert "glsa_other" not in done.output


def test_an_old_grafana(grafana: LoopbackGrafana) -> None:
    """A Grafana for which the dashboards are not made is told so before anything."""
    grafana.version = "10.4.2"
    done = push(grafana)
    assert done.exit_code == 1
    assert "11.6 or newer" in done.output
    assert grafana.written == []


def test_no_answer() -> None:
    """Where nothing answers, that is said; what is no address is a wrong question."""
    with running() as gone:
        url = gone.url
    nobody = CliRunner().invoke(main, ["dashboards", "push", url])
    assert nobody.exit_code == 1
    assert f"{url} does not answer" in nobody.output
    for wrong in ("grafana.example.com", "ftp://grafana", "http://", "http://h:x"):
        done = CliRunner().invoke(main, ["dashboards", "push", wrong])
        assert done.exit_code == 2


def test_build_writes_what_is_stale(tmp_path: Path) -> None:
    """Files are written where they differ; --check says which do, and ends with 1."""
    command = ["dashboards", "build", str(tmp_path)]
    assert f"{len(OURS)} written" in CliRunner().invoke(main, command).output
    (tmp_path / "cost.json").write_text("{}")
    checked = CliRunner().invoke(main, [*command, "--check"])
    assert checked.exit_code == 1
    assert "not fresh" in checked.output
    assert "cost.json" in checked.output
    assert "1 written" in CliRunner().invoke(main, command).output
    assert CliRunner().invoke(main, [*command, "--check"]).exit_code == 0


def test_list_shows_every_panel() -> None:
    """The list has a line per place of a panel."""
    done = CliRunner().invoke(main, ["dashboards", "list"])
    places = sum(len(board.panels) for board in DASHBOARDS)
    assert len(done.output.splitlines()) == places + 1
