"""What guards and the collector tell each other of budgets that processes share.

A guard says for whom its process works and what it has used of each budget; the
collector answers with what the process may use until it is told otherwise. That part
is leased: it counts as used for everybody else, so processes cannot overrun a budget
together. `docs/guard.md` has the exchange in words.

All amounts are integer femto-USD. `from_json` raises ValueError for what is not of
its form: either side may meet a stranger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

PATH: Final = "/v1/budgets"
"""Where the collector takes reports, beside OTLP over HTTP."""

SUBJECTS: Final = (
    "run_id",
    "task_type",
    "business_unit",
    "team",
    "user",
    "service",
    "environment",
)
"""What a process says of whom it works for: columns of the ledger."""

MOST_WORKS: Final = 500
"""For so many entries of work one report may ask."""

LARGEST_REPORT_BYTES: Final = 1 << 20
"""A report that is larger is refused."""

_LONGEST: Final = 2048
_MOST: Final = 10_000
_MOST_FEMTO_USD: Final = 10**27
"""A million million USD: budgets are smaller."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a process has used of one budget since it was first told of it.

    `spent` is what its finished calls cost; `held` what is held for those under way;
    `granted` what it may spend and hold, of all that it was granted so far. `asked` is
    what calls that wait would hold beyond that, `wanted` what it would like to have in
    hand for its next calls.
    """

    spent: int = 0
    held: int = 0
    granted: int = 0
    asked: int = 0
    wanted: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """One process's say. `works_for` are the subjects of its runs, by their names in
    SUBJECTS, MOST_WORKS at most; `uses` what it has used, by the collector's keys.
    `number` grows from report to report, so that one which comes late is known."""

    process: str
    works_for: Sequence[Mapping[str, str]] = ()
    uses: Mapping[str, Use] = field(default_factory=dict)
    number: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "process": self.process,
            "number": self.number,
            "works_for": [dict(subjects) for subjects in self.works_for],
            "uses": {key: asdict(use) for key, use in self.uses.items()},
        }

    @classmethod
    def from_json(cls, told: Any) -> Report:
        """What `to_json` made. Raises ValueError."""
        found = _object(told, "a report")
        works_for = _list(found.get("works_for"), "works_for")
        if len(works_for) > MOST_WORKS:
            raise ValueError(
                f"works_for has {len(works_for)} entries, and must not have more than"
                f" {MOST_WORKS}: ask for the others in a further report"
            )
        uses = _object(found.get("uses"), "uses")
        return cls(
            process=_text(found.get("process"), "process"),
            works_for=[_subjects(each) for each in works_for],
            uses={_text(key, "uses"): _use(use) for key, use in uses.items()},
            number=_amount(found.get("number"), "number"),
        )


@dataclass(frozen=True, slots=True)
class Lease:
    """A budget as the collector answers of it.

    `action` is what its end means: warn, stop or handback. `spent` is what everybody
    spent in its window, as far as the collector knows. `granted` is what the process
    may spend and hold, of all that it was ever granted. `is_refused`: what was asked
    for is not there, because it is spent, or held for calls under way. `is_tight`:
    there is too little left to have any in hand. `ends_at_s` is when the window ends,
    in seconds since 1970; 0 where it does not. Until the ledger was read for it
    (`is_read`), `spent` is a lower bound and nothing more is granted.
    """

    budget: str
    of: str
    who: str
    window: str
    action: str
    limit: int
    spent: int
    granted: int
    ends_at_s: int = 0
    is_refused: bool = False
    is_tight: bool = False
    is_read: bool = True


@dataclass(frozen=True, slots=True)
class Stop:
    """An order that work stops: of a person (`by`), or of a rule."""

    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Applies:
    """What holds for one entry of `works_for`: keys of budgets, and stops."""

    budgets: Sequence[str] = ()
    stops: Sequence[Stop] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What holds for each entry of a report's `works_for`, in its order, and the
    budgets by their key."""

    applies: Sequence[Applies] = ()
    leases: Mapping[str, Lease] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: Any, *, asked: int) -> Answer:
        """What `to_json` made, for a report with `asked` entries. Raises ValueError."""
        found = _object(told, "an answer")
        applies = [_applies(each) for each in _list(found.get("applies"), "applies")]
        leases = {
            _text(key, "leases"): _checked(Lease, lease)
            for key, lease in _object(found.get("leases"), "leases").items()
        }
        named = {key for each in applies for key in each.budgets}
        if len(applies) != asked or named - leases.keys():
            raise ValueError("the answer does not fit what was asked")
        return cls(applies, leases)


def _applies(told: Any) -> Applies:
    found = _object(told, "applies")
    return Applies(
        [_text(key, "budgets") for key in _list(found.get("budgets"), "budgets")],
        [_checked(Stop, each) for each in _list(found.get("stops"), "stops")],
    )


def _subjects(told: Any) -> Mapping[str, str]:
    found = _object(told, "works_for")
    return {
        name: _text(found[name], name) for name in SUBJECTS if found.get(name, "") != ""
    }


def _use(told: Any) -> Use:
    use: Use = _checked(Use, told)
    for name, amount in asdict(use).items():
        _amount(amount, name)
    return use


def _amount(told: Any, what: str) -> int:
    if type(told) is not int or not 0 <= told < _MOST_FEMTO_USD:
        raise ValueError(f"{what} must be an integer from 0 to {_MOST_FEMTO_USD:.0e}")
    return told


_TYPES: Final[Mapping[str, type]] = {"str": str, "int": int, "bool": bool}


def _checked(kind: Any, told: Any) -> Any:
    """A dataclass of texts, integers and truth values, from an object of the same."""
    found = _object(told, kind.__name__)
    values = {}
    for each in fields(kind):
        value = found.get(each.name)
        if type(value) is not _TYPES[str(each.type)]:
            raise ValueError(f"{each.name} must be a {each.type}")
        values[each.name] = value
    return kind(**values)


def _object(told: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(told, dict) or len(told) > _MOST:
        raise ValueError(f"{what} must be an object")
    return told


def _list(told: Any, what: str) -> Sequence[Any]:
    if not isinstance(told, list) or len(told) > _MOST:
        raise ValueError(f"{what} must be a list")
    return told


def is_text(told: str) -> bool:
    """Whether a text can be told: of Unicode, and not too long to be a name."""
    is_unicode = not any("\ud800" <= character <= "\udfff" for character in told)
    return 0 < len(told) <= _LONGEST and is_unicode


def _text(told: Any, what: str) -> str:
    if not isinstance(told, str) or not is_text(told):
        raise ValueError(
            f"{what} must be a text of Unicode with 1 to {_LONGEST} characters"
        )
    return told
