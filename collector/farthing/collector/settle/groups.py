"""Which tellings are of one call.

Everything here is a function of two tellings, or of a set of them: in what order they
arrived makes no difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from farthing.collector.settle.find import SLACK_US
from farthing.collector.settle.telling import Key, Telling

_STARTS_TOGETHER_US: Final = 1_000_000
"""Two instruments on one call start within this; for calls that nobody named."""
_INSIDE_US: Final = 50_000
"""By how much a tool call may stick out of the one that made it."""

_TWO: Final = 2
_SAME_ANSWER, _PARENT, _ALIKE = range(3)


class _Edge(NamedTuple):
    """A reason to take two tellings for one call; the least is the strongest."""

    strength: tuple[int, ...]
    keys: tuple[Key, Key]


class Groups:
    """Tellings, each of another span, sorted out."""

    def __init__(self, tellings: Mapping[Key, Telling]) -> None:
        self._tellings = tellings
        self._edges = sorted(_edges(tellings))

    def components(self) -> list[list[Key]]:
        """Sets of tellings that nothing connects with each other."""
        return _joined(self._tellings, self._edges, lambda _one, _other: True)

    def calls(self) -> list[list[Telling]]:
        """The tellings of each call.

        Two are joined unless that would make one call of what an emitter told apart:
        so of a parent that sums its children each child stays a call.
        """
        apart = self._are_apart
        found = _joined(
            self._tellings,
            self._edges,
            lambda one, other: not any(apart(x, y) for x in one for y in other),
        )
        return [[self._tellings[key] for key in keys] for keys in found]

    def _are_apart(self, one: Key, other: Key) -> bool:
        """Whether one emitter tells of two calls."""
        x, y = self._tellings[one], self._tellings[other]
        if x.scope != y.scope or not (x.is_counted and y.is_counted):
            return False
        if x.is_tool:
            return True
        if x.answer and y.answer and x.answer != y.answer:
            return True
        if not (x.has_usage and y.has_usage):
            return False
        return not (self._is_inside(x, other) or self._is_inside(y, one))

    def _is_inside(self, telling: Telling, ancestor: Key) -> bool:
        return ancestor in ancestors(telling, self._tellings)


def ancestors(telling: Telling, tellings: Mapping[Key, Telling]) -> list[Key]:
    """Its parent, that one's parent and so on, as far as they are among `tellings`."""
    found: list[Key] = []
    key = telling.parent_key
    while key is not None and key in tellings and key not in found:
        found.append(key)
        key = tellings[key].parent_key
    return found


def _edges(tellings: Mapping[Key, Telling]) -> Iterator[_Edge]:
    yield from _of_parents(tellings)
    yield from _of_answers(tellings.values())
    yield from _of_likeness(tellings.values())


def _of_parents(tellings: Mapping[Key, Telling]) -> Iterator[_Edge]:
    """(a) and (g): a call inside a call. Of several children the one whose usage the
    parent repeats is nearest, else the last."""
    for child in tellings.values():
        parent = tellings.get(child.parent_key) if child.parent_key else None
        if parent is None or parent.is_tool != child.is_tool:
            continue
        if child.is_tool and not _are_one_tool(parent, child):
            continue
        differs = child.said.tokens != parent.said.tokens
        yield _edge(parent, child, _PARENT, differs, -child.end_us)


def _are_one_tool(parent: Telling, child: Telling) -> bool:
    names = {parent.said["tool_name"], child.said["tool_name"]} - {""}
    return parent.scope != child.scope and len(names) < 2 and not _named_apart(parent, child)


def _of_answers(tellings: Iterable[Telling]) -> Iterator[_Edge]:
    """(b): two emitters name the same answer."""
    named: dict[tuple[str, ...], list[Telling]] = defaultdict(list)
    for telling in tellings:
        if telling.answer:
            of_trace = telling.key[0] if telling.is_tool else ""
            named[of_trace, telling.answer].append(telling)
    for one, other in _of_one_time(named, slack_us=SLACK_US):
        yield _edge(one, other, _SAME_ANSWER, _distance_us(one, other))


def _of_likeness(tellings: Iterable[Telling]) -> Iterator[_Edge]:
    """(d) and (g): nobody named it, but all else agrees."""
    placed: dict[tuple[str, ...], list[Telling]] = defaultdict(list)
    for telling in tellings:
        placed[telling.place].append(telling)
    for one, other in _of_one_time(placed, slack_us=0):
        are_alike = _are_alike_tools if one.is_tool else _are_alike_calls
        if one.is_tool == other.is_tool and are_alike(one, other):
            yield _edge(one, other, _ALIKE, _distance_us(one, other))


def _of_one_time(
    groups: Mapping[tuple[str, ...], list[Telling]], *, slack_us: int
) -> Iterator[tuple[Telling, Telling]]:
    """Pairs of a group that overlap and are of two emitters, the earlier first."""
    for group in groups.values():
        if len({telling.scope for telling in group}) < _TWO:
            continue
        ordered = sorted(group, key=lambda telling: (telling.start_us, telling.key))
        for place, one in enumerate(ordered, start=1):
            for other in ordered[place:]:
                if other.start_us > one.end_us + slack_us:
                    break
                if one.scope != other.scope:
                    yield one, other


def _are_alike_calls(one: Telling, other: Telling) -> bool:
    if other.start_us - one.start_us > _STARTS_TOGETHER_US:
        return False
    if not (one.has_own_id or other.has_own_id) or _are_of_two_runs(one, other):
        return False
    if not (one.has_usage and other.has_usage):
        return True
    outputs = sorted((one.completion_tokens, other.completion_tokens))
    # A stream that was closed early says 1, or nothing.
    agree = outputs[0] <= 1 or outputs[0] == outputs[1]
    return agree and one.prompt_tokens == other.prompt_tokens


def _are_of_two_runs(one: Telling, other: Telling) -> bool:
    tagged = one.run_evidence == other.run_evidence == 3
    return tagged and one.said["run_id"] != other.said["run_id"]


def _are_alike_tools(outer: Telling, inner: Telling) -> bool:
    is_inside = inner.end_us <= outer.end_us + _INSIDE_US
    return bool(outer.place[1]) and is_inside and not _named_apart(outer, inner)


def _named_apart(one: Telling, other: Telling) -> bool:
    return bool(one.answer and other.answer) and one.answer != other.answer


def _distance_us(one: Telling, other: Telling) -> int:
    return abs(one.start_us - other.start_us) + abs(one.end_us - other.end_us)


def _edge(one: Telling, other: Telling, *strength: int) -> _Edge:
    first, second = sorted((one.key, other.key))
    return _Edge(strength, (first, second))


def _joined(
    keys: Iterable[Key],
    edges: Iterable[_Edge],
    may_join: Callable[[list[Key], list[Key]], bool],
) -> list[list[Key]]:
    """The sets that the edges make of the keys, the strongest first."""
    sets = {key: [key] for key in keys}
    for edge in edges:
        one, other = (sets[key] for key in edge.keys)
        if one is other or not may_join(one, other):
            continue
        one.extend(other)
        for key in other:
            sets[key] = one
    return list({id(found): found for found in sets.values()}.values())
