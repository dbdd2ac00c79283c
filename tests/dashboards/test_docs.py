"""docs/dashboards.md says what there is."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from farthing.cli import main
from farthing.dashboards.listing import markdown

DOC = Path(__file__).parents[2] / "docs/dashboards.md"


def test_the_docs_list_every_panel() -> None:
    """docs/dashboards.md has what `farthing dashboards list --markdown` prints."""
    done = CliRunner().invoke(main, ["dashboards", "list", "--markdown"])
    assert done.output.strip() == markdown().strip()
    assert markdown().strip() in DOC.read_text(encoding="utf-8")
