"""`make test-matrix`: install each environment, run its agents, write what is found."""

from __future__ import annotations

import subprocess
import sys

from tests.matrix import table
from tests.matrix.environments import ROOT, environments


def main() -> int:
    """Install, run, write; with names of environments only those."""
    chosen = [e for e in environments() if not sys.argv[1:] or e.name in sys.argv[1:]]
    for environment in chosen:
        sys.stdout.write(f"test-matrix: {environment.name}: installing\n")
        sys.stdout.flush()
        why = environment.install()
        if why:
            sys.stdout.write(f"test-matrix: {environment.name}: {why}\n")
            missing = {agent: {"missing": why} for agent in environment.agents}
            table.write_results(missing)
    names = " or ".join(f"matrix_{e.name.replace('-', '_')}_" for e in chosen)
    tests = ["tests/sdks/test_matrix.py", "--matrix", "-k", names, "-q", "-rA"]
    status = subprocess.call([sys.executable, "-m", "pytest", *tests], cwd=ROOT)
    table.write()
    return status


if __name__ == "__main__":
    sys.exit(main())
