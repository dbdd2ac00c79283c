"""What would be instrumented here, and why not; nothing is imported to find out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from farthing.instrumentation.families import choose, package
from farthing.instrumentation.libraries import LIBRARIES, Library
from farthing.instrumentation.loading import conflict_of, has_our_calls


@dataclass(frozen=True, slots=True)
class Coverage:
    """How a library that is installed would be instrumented.

    `by` are the packages that do it, in order; `reason` says why one does not, or what
    is to be known about it; `do` what would help.
    """

    library: str
    version: str
    by: tuple[str, ...]
    reason: str = ""
    do: str = ""


def coverage(disabled: frozenset[str] = frozenset()) -> Iterator[Coverage]:
    """One for each known library that is installed."""
    for library in LIBRARIES:
        found = _installed(library)
        if found:
            yield _cover(library, found, disabled)


def _installed(library: Library) -> str:
    """The version of the first of the library's distributions, "" if there is none."""
    for name in library.distributions:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return ""


def _cover(library: Library, found: str, disabled: frozenset[str]) -> Coverage:
    if library.is_disabled(disabled):
        reason = "disabled by OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
        return Coverage(library.name, found, (), reason)
    choice = choose(library)
    own = ("its own spans",) if library.has_own_spans else ()
    ours = (*own, *(("farthing",) if has_our_calls(library) else ()))
    if choice.used is None:
        return _without_package(library, found, ours)
    by = (package(choice.used), *ours)
    if choice.left_out:
        names = ", ".join(package(point) for point in choice.left_out)
        reason = f"{names} is left out, or each call would count twice"
        return Coverage(library.name, found, by, reason, f"pip uninstall {names}")
    conflict = conflict_of(choice.used)
    if conflict is None:
        return Coverage(library.name, found, by)
    asked = conflict.required or ", ".join(conflict.required_any or ())
    reason = f"{by[0]} asks for {str(asked).partition(';')[0]}"
    if library.must_have:
        looked = "it is used if all that it wraps is there"
        return Coverage(library.name, found, by, f"{reason}; {looked}")
    return Coverage(library.name, found, ours, reason, "install such a release")


def _without_package(library: Library, found: str, ours: tuple[str, ...]) -> Coverage:
    if not library.official:
        return Coverage(library.name, found, ours)
    return Coverage(
        library.name,
        found,
        ours,
        "the package that makes its spans is not installed",
        f"pip install 'farthing[{library.extra}]'",
    )
