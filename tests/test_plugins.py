"""Members of a family: ours by their files, third parties' by entry points."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from farthing import plugins
from farthing.dashboards.catalogue import FAMILY
from farthing.errors import ConfigError

THEIRS = EntryPoint("theirs", "tests.test_plugins:THEIRS", FAMILY)
NOT_OURS = EntryPoint("another", "json:loads", "somebody.else")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What was looked for in the installed packages, of which one has a panel."""
    made: list[str] = []

    def installed(*, group: str) -> EntryPoints:
        made.append(group)
        return EntryPoints([THEIRS, NOT_OURS]).select(group=group)

    monkeypatch.setattr(plugins, "entry_points", installed)
    plugins._installed.cache_clear()
    yield made
    plugins._installed.cache_clear()


def test_one_look_finds_all(looks: list[str]) -> None:
    """However many members are loaded, the installed packages are looked at once: a
    look reads a file of each."""
    for name in plugins.names(FAMILY):
        plugins.load(FAMILY, name, "PANEL")
    assert looks == [FAMILY]


def test_a_third_party_adds_to_a_family(looks: list[str]) -> None:
    """By the group of that name alone; what neither has is told with what there is."""
    assert "theirs" in plugins.names(FAMILY)
    assert plugins.load(FAMILY, "theirs", "PANEL") == THEIRS
    with pytest.raises(ConfigError, match=r"no 'another' in .*, theirs, "):
        plugins.load(FAMILY, "another", "PANEL")
