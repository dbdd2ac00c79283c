"""`python -m benchmarks.crash`: rounds of `kill -9`, of a store that is away, of a full
disk; prints Markdown tables. Exit code 1 if the books of one round did not balance.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.crash.rounds import Round, rounds
from benchmarks.crash.scenes import SCENES, CannotMount
from benchmarks.ingest.report import header, row, title

ROUNDS: Final = {"killed": 100, "store-away": 5, "full-disk": 20}


def main() -> None:
    """Play what the command line asks for."""
    options = _options()
    played = {name: list(_played(name, options)) for name in options.only}
    title("Rounds under load")
    header(
        ["scene", "rounds", "spans acknowledged", "lost", "twice", "roll-ups off"],
    )
    for name, done in played.items():
        row([name, *_totals(done)])
    sys.exit(not all(one.balances for done in played.values() for one in done))


def _played(name: str, options: argparse.Namespace) -> Iterator[Round]:
    print(f"\n{name}")
    with tempfile.TemporaryDirectory(dir=options.dir, prefix="farthing-crash-") as made:
        try:
            with SCENES[name](Path(made)) as scene:
                yield from rounds(
                    options.rounds or ROUNDS[name],
                    scene,
                    seed=options.seed,
                    progress=partial(print, flush=True),
                )
        except CannotMount as error:
            print(f"left out: {error}")


def _totals(done: Sequence[Round]) -> list[str]:
    totals = [
        len(done),
        sum(one.acknowledged for one in done),
        sum(one.lost for one in done),
        sum(one.doubled for one in done),
        sum(not one.rolled_up for one in done),
    ]
    return [f"{total:,}" for total in totals]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crash")
    parser.add_argument("--only", nargs="+", choices=SCENES, default=list(SCENES))
    parser.add_argument(
        "--rounds", type=int, help=f"of each scene; else {ROUNDS}".replace("%", "%%")
    )
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    parser.add_argument("--dir", type=Path, help="where ledgers go; else temp folder")
    return parser.parse_args()


if __name__ == "__main__":
    main()
