"""`python -m farthing.collector.demo.providers [PORT]`: the stand-in on its own."""

from __future__ import annotations

import sys
import threading

from farthing.collector.demo.providers import serving


def main() -> None:
    """Serve until interrupted."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    with serving(port=port) as providers:
        sys.stdout.write(f"providers: {providers.url} (what was billed: /bill)\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
