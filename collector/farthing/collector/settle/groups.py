"""Which tellings are of one call.

Everything here is a function of two tellings, or of a set of them: in what order they
arrived makes no difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from farthing.collector.settle.telling import Key, Telling
from farthing.economics.usage import UsageFlag

SLACK_US: Final = 5_000_000
"""By how much two tellings of one answer may miss each other: clocks differ."""
_STARTS_TOGETHER_US: Final = 1_000_000
"""Two instruments on one call start within this; for calls that nobody named."""
_INSIDE_US: Final = 50_000
"""By how much a tool call may stick out of the one that made it."""

_SAME_ANSWER, _PARENT, _ALIKE = range(3)

Tellings = Mapping[Key, Telling]


class _Edge(NamedTuple):
    """A reason to take two tellings for one call; the least is the strongest."""

    strength: tuple[int, ...]
    keys: tuple[Key, Key]


def calls(tellings: Tellings, *, touched: Collection[Key]) -> Iterator[list[Telling]]:
    """The tellings of each call that has to do with one of `touched`.

    What is connected is one call unless that would make one of what an emitter told
    apart: so of a parent that sums its children each child stays a call.
    """
    edges = _edges(tellings)
    of_key = {key: keys for keys in _connected(tellings, edges) for key in keys}
    chosen = {id(of_key[key]): of_key[key] for key in touched}
    own: dict[int, list[_Edge]] = defaultdict(list)
    for edge in edges:
        own[id(of_key[edge.keys[0]])].append(edge)
    for which, keys in chosen.items():
        for call in _divided(keys, sorted(own[which]), tellings):
            yield [tellings[key] for key in call]


def ancestors(telling: Telling, tellings: Tellings) -> list[Key]:
    """Its parent, that one's parent and so on, as far as they are among `tellings`."""
    found: list[Key] = []
    key = telling.parent_key
    while key is not None and key in tellings and key not in found:
        found.append(key)
        key = tellings[key].parent_key
    return found


def _connected(keys: Iterable[Key], edges: Iterable[_Edge]) -> list[list[Key]]:
    """Sets of keys that no edge leads out of."""
    sets = {key: [key] for key in keys}
    for edge in edges:
        _join(sets, edge)
    return _distinct(sets)


def _divided(
    keys: Iterable[Key], edges: Iterable[_Edge], tellings: Tellings
) -> list[list[Key]]:
    """The keys of each call of a connected set, joined by the strongest edges first."""
    sets = {key: [key] for key in keys}
    for edge in edges:
        one, other = (sets[key] for key in edge.keys)
        if one is not other and not any(
            _are_apart(tellings[x], tellings[y], tellings) for x in one for y in other
        ):
            _join(sets, edge)
    return _distinct(sets)


def _join(sets: dict[Key, list[Key]], edge: _Edge) -> None:
    one, other = (sets[key] for key in edge.keys)
    if one is not other:
        small, large = sorted((one, other), key=len)
        large.extend(small)
        sets.update(dict.fromkeys(small, large))


def _distinct(sets: Mapping[Key, list[Key]]) -> list[list[Key]]:
    return list({id(keys): keys for keys in sets.values()}.values())


def _are_apart(one: Telling, other: Telling, tellings: Tellings) -> bool:
    """Whether one emitter tells of two calls, or one was given up and one answered."""
    if _was_given_up(one, other, tellings) or _was_given_up(other, one, tellings):
        return True
    if one.scope != other.scope or not (one.is_counted and other.is_counted):
        return False
    if one.is_tool or _named_apart(one, other):
        return True
    if not (one.has_usage and other.has_usage):
        return False
    return not _are_nested(one, other, tellings)


def _was_given_up(one: Telling, other: Telling, tellings: Tellings) -> bool:
    """Whether one is an attempt that may have been billed, beside another one."""
    is_one = UsageFlag.MISSING in one.flags and other.has_usage
    if not is_one or (one.answer and one.answer == other.answer):
        return False
    return not _are_nested(one, other, tellings)


def _are_nested(one: Telling, other: Telling, tellings: Tellings) -> bool:
    return other.key in ancestors(one, tellings) or one.key in ancestors(
        other, tellings
    )


def _named_apart(one: Telling, other: Telling) -> bool:
    return bool(one.answer and other.answer) and one.answer != other.answer


def _edges(tellings: Tellings) -> list[_Edge]:
    return [
        *_of_parents(tellings),
        *_of_answers(tellings.values()),
        *_of_likeness(tellings.values()),
    ]


def _of_parents(tellings: Tellings) -> Iterator[_Edge]:
    """(a) and (g): a call inside a call. Of several children the one whose usage the
    parent repeats is nearest, else the last."""
    for child in tellings.values():
        parent = tellings.get(child.parent_key) if child.parent_key else None
        if parent is None or parent.is_tool != child.is_tool:
            continue
        are_one = _are_one_tool if child.is_tool else _may_be_one_call
        if are_one(parent, child):
            differs = child.tokens != parent.tokens
            yield _edge(parent, child, _PARENT, differs, -child.end_us)


def _may_be_one_call(parent: Telling, child: Telling) -> bool:
    """Not a look-up or a check that a call makes on its way: an embedding inside a
    chat, or another model that takes and gives other numbers of tokens."""
    outer, inner = parent.known_model, child.known_model
    is_told = parent.has_usage and child.has_usage
    if not is_told or (outer and outer == inner):
        return True
    if parent.kind != child.kind:
        return False
    agree = (
        parent.prompt_tokens == child.prompt_tokens
        or parent.completion_tokens == child.completion_tokens
    )
    return agree or not (outer and inner)


def _are_one_tool(parent: Telling, child: Telling) -> bool:
    names = {parent["tool_name"], child["tool_name"]} - {""}
    is_one = parent.scope != child.scope and len(names) <= 1
    return is_one and not _named_apart(parent, child)


def _of_answers(tellings: Iterable[Telling]) -> Iterator[_Edge]:
    """(b): two emitters name the same answer; a tool call's id is its trace's own."""
    named: dict[tuple[str, ...], list[Telling]] = defaultdict(list)
    for telling in tellings:
        if telling.answer:
            of_trace = telling.key[0] if telling.is_tool else ""
            named[of_trace, telling.answer].append(telling)
    for one, other in _of_one_time(named.values(), slack_us=SLACK_US):
        yield _edge(one, other, _SAME_ANSWER, _distance_us(one, other))


def _of_likeness(tellings: Iterable[Telling]) -> Iterator[_Edge]:
    """(d) and (g): some emitter did not name it, but all else agrees."""
    alike = list(tellings)
    if not any(telling.has_own_id or telling.is_tool for telling in alike):
        return
    placed: dict[tuple[str, ...], list[Telling]] = defaultdict(list)
    for telling in alike:
        placed[telling.place].append(telling)
    for one, other in _of_one_time(placed.values(), slack_us=0):
        are_alike = _are_alike_tools if one.is_tool else _are_alike_calls
        if one.is_tool == other.is_tool and are_alike(one, other):
            yield _edge(one, other, _ALIKE, _distance_us(one, other))


def _of_one_time(
    groups: Iterable[list[Telling]], *, slack_us: int
) -> Iterator[tuple[Telling, Telling]]:
    """Pairs of a group that overlap and are of two emitters, the earlier first."""
    for group in groups:
        if len(group) == 1 or len({telling.scope for telling in group}) == 1:
            continue
        group.sort(key=lambda telling: (telling.start_us, telling.key))
        for place, one in enumerate(group, start=1):
            for other in group[place:]:
                if other.start_us > one.end_us + slack_us:
                    break
                if one.scope != other.scope:
                    yield one, other


def _are_alike_calls(one: Telling, other: Telling) -> bool:
    if other.start_us - one.start_us > _STARTS_TOGETHER_US:
        return False
    if not (one.has_own_id or other.has_own_id) or _are_of_two_runs(one, other):
        return False
    if UsageFlag.MISSING in f"{one.flags}{other.flags}":
        return False  # an attempt that was given up, beside the one that was answered
    if not (one.has_usage and other.has_usage):
        return True
    less, more = sorted((one.completion_tokens, other.completion_tokens))
    # A stream that was closed early says 1, or nothing.
    agree = less <= 1 or less == more
    return agree and one.prompt_tokens == other.prompt_tokens


def _are_of_two_runs(one: Telling, other: Telling) -> bool:
    """Whether both are tagged, with two runs."""
    are_tagged = one.run_evidence == other.run_evidence == 3
    return are_tagged and one["run_id"] != other["run_id"]


def _are_alike_tools(outer: Telling, inner: Telling) -> bool:
    is_inside = inner.end_us <= outer.end_us + _INSIDE_US
    return bool(outer.place[1]) and is_inside and not _named_apart(outer, inner)


def _distance_us(one: Telling, other: Telling) -> int:
    return abs(one.start_us - other.start_us) + abs(one.end_us - other.end_us)


def _edge(one: Telling, other: Telling, *strength: int) -> _Edge:
    keys = (one.key, other.key) if one.key < other.key else (other.key, one.key)
    return _Edge(strength, keys)
