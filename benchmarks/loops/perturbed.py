"""The labelled runs as other agents, models and emitters might have told them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from random import Random
from typing import Final

import click

from benchmarks.loops.__main__ import DATA, Line, by_ours, line
from farthing.collector.watch.labelled import LabelledRun, read_runs
from farthing.economics.loops import Step

Steps = Sequence[Step]
Perturb = Callable[[Steps, Random], Iterator[Step]]


def _renamed(steps: Steps, random: Random) -> Iterator[Step]:
    """Tools by names that say nothing."""
    of_run = str(random.random())
    for step in steps:
        yield replace(step, name=_hash(of_run, step.name)) if _is_tool(step) else step


def _swapped(steps: Steps, random: Random) -> Iterator[Step]:
    """One tool call of ten made before the call, or reply, that preceded it."""
    ordered = list(steps)
    for at in range(1, len(ordered)):
        if _is_tool(ordered[at]) and random.random() < 0.1:
            ordered[at - 1 : at + 1] = ordered[at], ordered[at - 1]
    yield from ordered


def _interrupted(steps: Steps, random: Random) -> Iterator[Step]:
    """After one call of four, another of its own, with a result like no other."""
    for step in steps:
        yield step
        if _is_tool(step) and random.random() < 0.25:
            yield _look(random)


def _renumbered(steps: Steps, random: Random) -> Iterator[Step]:
    """Each result with a time or an id of its own, which normalising takes out."""
    for step in steps:
        own = f"{random.random()}"
        yield (
            step
            if not _is_told(step)
            else replace(step, result_hash=_hash(own, step.result_hash))
        )


def _reworded(steps: Steps, random: Random) -> Iterator[Step]:
    """Each result in slightly other words: only what is similar stays."""
    for step in _renumbered(steps, random):
        yield (
            step
            if not _is_told(step)
            else replace(
                step,
                result_norm_hash=_hash(step.result_hash, "norm"),
                result_shape_hash="",
                result_simhash=nearly(step.result_simhash, random),
            )
        )


def _asked_anew(steps: Steps, random: Random) -> Iterator[Step]:
    """Each call with arguments in other words, the same results."""
    for step in steps:
        yield (
            step
            if not step.args_hash
            else replace(
                step,
                args_hash=_hash(str(random.random()), step.args_hash),
                args_simhash=nearly(step.args_simhash, random),
            )
        )


def _without(**fields: object) -> Perturb:
    """What emitters leave out."""

    def perturb(steps: Steps, _: Random) -> Iterator[Step]:
        for step in steps:
            yield replace(step, **fields) if _is_tool(step) else step  # type: ignore[arg-type]

    return perturb


def _silent(steps: Steps, _: Random) -> Iterator[Step]:
    """Model calls are not told: all calls may be of one turn, or of many."""
    return (step for step in steps if step.kind != "llm")


def _all_of(*perturbs: Perturb) -> Perturb:
    def perturb(steps: Steps, random: Random) -> Iterator[Step]:
        for each in perturbs:
            steps = list(each(steps, random))
        return iter(steps)

    return perturb


_NO_NEARNESS: Final = {
    "args_norm_hash": "", "args_simhash": "", "result_norm_hash": "",
    "result_shape_hash": "", "result_simhash": "",
}  # fmt: skip
PERTURBED: Final[Mapping[str, Perturb]] = {
    "as they are": lambda steps, _: iter(steps),
    "tools renamed": _renamed,
    "one call of ten made earlier": _swapped,
    "after one call of four, a new one": _interrupted,
    "a time or id in each result": _renumbered,
    "each result in other words": _reworded,
    "arguments in other words": _asked_anew,
    "no similarity hashes": _without(args_simhash="", result_simhash=""),
    "exact hashes only": _without(**_NO_NEARNESS),
    "no error signatures": _without(err_sig_hash=""),
    "no error signatures or flags": _without(err_sig_hash="", error=None),
    "no lengths": _without(args_len=None, result_len=None, empty=None),
    "no model calls": _silent,
    "other names, other words, no similarity": _all_of(
        _renamed, _asked_anew, _renumbered, _without(args_simhash="", result_simhash="")
    ),
}

_NORMAL: Final = ("sentinel", "mini_swe_agent_gemini3", "agentrx_tau_retail")


def perturbed(run: LabelledRun, name: str) -> LabelledRun:
    """A run told otherwise; the same each time."""
    random = Random(f"{name} {run.trace_id}")
    return replace(run, steps=tuple(PERTURBED[name](run.steps, random)))


def nearly(simhash: str, random: Random) -> str:
    """A similarity hash of which two of 64 bits are others: a number, a name."""
    if not simhash:
        return ""
    bits = sum(1 << bit for bit in random.sample(range(64), 2))
    return f"{int(simhash, 16) ^ bits:016x}"


def _is_tool(step: Step) -> bool:
    return step.kind == "tool"


def _is_told(step: Step) -> bool:
    return _is_tool(step) and bool(step.result_hash) and not step.empty


def _look(random: Random) -> Step:
    own = f"{random.random()}"
    return Step(
        kind="tool",
        name="look",
        args_hash=_hash(own, "args"),
        args_len=40,
        result_hash=_hash(own, "result"),
        result_norm_hash=_hash(own, "norm"),
        result_simhash=f"{random.getrandbits(64):016x}",
        result_len=600,
    )


def _hash(*parts: str) -> str:
    return blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Telling:
    """What our detector finds in one telling: suspected, and of these confirmed."""

    name: str
    suspected: Line
    confirmed: Line

    def cell(self, of: Callable[[Line], Mapping[str, int]], source: str) -> str:
        """How many are confirmed, and in brackets suspected."""
        confirmed, suspected = of(self.confirmed), of(self.suspected)
        return f"{confirmed.get(source, 0)} ({suspected.get(source, 0)})"


def tellings(runs: Sequence[LabelledRun]) -> Iterator[Telling]:
    """Judge each telling."""
    for name in PERTURBED:
        told = [perturbed(run, name) for run in runs]
        yield Telling(
            name,
            suspected=line(name, "suspected", told, by_ours("suspected")),
            confirmed=line(name, "confirmed", told, by_ours("confirmed")),
        )


@click.command()
@click.option("--json", "as_json", is_flag=True)
def main(*, as_json: bool) -> None:
    """Our detector on the runs in benchmarks/loops/data, told otherwise."""
    runs = [run for path in sorted(DATA.glob("*.gz")) for run in read_runs(path)]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in tellings(runs)]))
        return
    click.echo(
        "| told | loops: sentinel | intercode"
        " | false alarms: sentinel | mini_swe | tau |\n|---|---:|---:|---:|---:|---:|"
    )
    for one in tellings(runs):
        found = [one.cell(lambda of: of.found, s) for s in ("sentinel", "intercode")]
        false = [one.cell(lambda of: of.false_alarms, s) for s in _NORMAL]
        click.echo(f"| {' | '.join([one.name, *found, *false])} |")


if __name__ == "__main__":
    main()
