"""`python -m farthing.dashboards.draw PANEL`: a panel's rows in, as JSON, a PNG out.

A process of its own for one picture: the renderer takes a hundred megabytes, and what
hangs can be ended.
"""

from __future__ import annotations

import json
import sys
from typing import Final

from farthing.dashboards import charts
from farthing.dashboards.catalogue import panel
from farthing.dashboards.theme import LIGHT

_WIDTH: Final = 640
_HEIGHT: Final = 220


def main(name: str) -> None:
    """Read standard input to its end, write standard output."""
    rows = json.load(sys.stdin)
    made = charts.spec(panel(name), rows, charts.Frame(_WIDTH, _HEIGHT, theme=LIGHT))
    sys.stdout.buffer.write(charts.png(made))


if __name__ == "__main__":
    main(*sys.argv[1:])
