"""One file per dialect, channel, panel or rule: its file's name is its name in use.

A family is a package whose modules each hold one object under the family's attribute
name; third parties add to it through an entry point group of the package's name.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import EntryPoints, entry_points

from farthing.errors import ConfigError


def names(family: str) -> list[str]:
    """Sorted names of the members of `family`, a package such as
    `farthing.collector.dialects`, third parties' included."""
    package = importlib.import_module(family)
    own = (module.name for module in pkgutil.iter_modules(package.__path__))
    return sorted({*own, *_installed(family).names})


def load(family: str, name: str, attribute: str) -> object:
    """The member `name` of `family`: `attribute` of its module or entry point.

    Raises ConfigError, naming what there is, for a name that does not exist.
    """
    for point in _installed(family).select(name=name):
        return point.load()
    if name not in names(family):
        known = ", ".join(names(family))
        raise ConfigError(f"there is no {name!r} in {family}; there are: {known}")
    return getattr(importlib.import_module(f"{family}.{name}"), attribute)


@cache
def _installed(family: str) -> EntryPoints:
    """What third parties add. A look reads a file of each package that is installed, 10
    ms and more, and a family has up to sixty members to load."""
    return entry_points(group=family)
