"""charts.js: Vega-Lite for browsers, with all that it needs, out of vl-convert.

To bundle it takes 1 to 2 s, holds Python's lock all the while and keeps 120 MB. So a
process of its own does it (`python -m` this module); `assets.py` keeps what it made.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from typing import Final

_PACKAGE: Final = "vl-convert-python"
_SNIPPET: Final = "window.vegaEmbed = vegaEmbed;"
_MADE_WITHIN_S: Final = 60


def chart_script_version() -> str:
    """Differs where the script does, and is known before it is made."""
    made_of = f"{_PACKAGE} {version(_PACKAGE)} {_SNIPPET}"
    return hashlib.sha256(made_of.encode()).hexdigest()[:16]


@cache
def chart_script() -> bytes:
    """The script, UTF-8, made when it is first asked for; not for an event loop.

    Raises CalledProcessError or TimeoutExpired if it cannot be made.
    """
    made = subprocess.run(  # noqa: S603  our own module
        [sys.executable, "-m", __name__],
        capture_output=True,
        timeout=_MADE_WITHIN_S,
        check=True,
    )
    return made.stdout


def _main() -> None:
    import vl_convert

    # In a function, so that its short names are nobody else's.
    script = f"(() => {{{vl_convert.javascript_bundle(_SNIPPET)}}})();"
    sys.stdout.buffer.write(script.encode())


if __name__ == "__main__":
    _main()
