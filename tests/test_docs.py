"""What the documentation names exists: paths, links, commands, targets, variables."""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import click
import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
DOCS = [
    path
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *ROOT.glob("docs/**/*.md"),
    )
    if path.is_file()
]

# Written in two halves, so that this file does not hold what it forbids.
FORBIDDEN = tuple(
    "".join(halves)
    for halves in (
        ("pypi", ".org"),
        ("pypi.python", ".org"),
        ("pythonhosted", ".org"),
        ("npmjs", ".org"),
        ("npmjs", ".com"),
        ("yarnpkg", ".com"),
        ("deb.debian", ".org"),
        ("crates", ".io"),
        ("proxy.golang", ".org"),
        ("/wor", "k/"),
        ("/opt/", "pypi"),
        ("/opt/", "wheels"),
        ("/ro", "ot/"),
        (".libr", "ary/"),
    )
)

# A name without a folder is taken for a file of ours only if it ends like a source.
PATH = re.compile(r"(?:[\w.@*-]+/)*[\w.@*-]+/?")
SOURCE = re.compile(r".+\.(?:py|sql|proto|md)")
SHELL = {"", "bash", "console", "sh", "shell"}


@cache
def repository() -> tuple[Path, ...]:
    """Every file of the repository that git would keep, relative to its root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    files = (Path(name) for name in out.stdout.split("\0") if name)
    return tuple(path for path in files if (ROOT / path).is_file())


@cache
def names() -> frozenset[str]:
    """Files and folders of the repository, as paths relative to its root."""
    folders = (parent for path in repository() for parent in path.parents)
    return frozenset(path.as_posix() for path in (*repository(), *folders))


def by_doc(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


each_doc = pytest.mark.parametrize("doc", DOCS, ids=by_doc)


def code(doc: str) -> Iterator[tuple[str, str]]:
    """(language, text) of each code block of a document; inline code is `inline`."""
    for token in MarkdownIt().enable("table").parse(doc):
        if token.type in {"fence", "code_block"}:
            yield token.info.split(" ")[0], token.content
        for child in token.children or ():
            if child.type == "code_inline":
                yield "inline", child.content


def links(doc: str) -> Iterator[str]:
    for token in MarkdownIt().enable("table").parse(doc):
        for child in token.children or ():
            if child.type in {"link_open", "image"}:
                yield str(child.attrs.get("href") or child.attrs.get("src"))


def headings(doc: str) -> set[str]:
    """The anchors that a document's headings get."""
    tokens = MarkdownIt().parse(doc)
    titles = (
        tokens[i + 1].content for i, t in enumerate(tokens) if t.type == "heading_open"
    )
    return {re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in titles}


def commands(doc: str) -> Iterator[list[str]]:
    """The words of each shell command that a document shows."""
    for language, text in code(doc):
        if language in SHELL or language == "inline":
            for line in text.replace("\\\n", " ").splitlines():
                yield from simple_commands(line.removeprefix("$ "))


def simple_commands(line: str) -> Iterator[list[str]]:
    """`A=b cd x && farthing up | tail  # why` -> [cd x], [farthing up], [tail]."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.wordchars += "[]<>{}$@,…%^"
    words: list[str] = []
    try:
        for word in lexer:
            if set(word) <= set("&|;()"):
                yield words
                words = []
            elif words or not re.fullmatch(r"\w+=.*", word):
                words.append(word)
    except ValueError:  # prose with an apostrophe, no command
        return
    yield words


def arguments(words: list[str], program: str) -> list[str] | None:
    """What follows `program` where `words` run it, in a container too; else None."""
    if words[:2] == ["docker", "compose"] and program in words:
        words = words[words.index(program) :]
    if not words or words[0].rsplit("/", 1)[-1] != program:
        return None
    return [word.strip("[]") for word in words[1:] if word.strip("[]")]


def missing_path(name: str) -> bool:
    """Whether `name` is written like a path of ours and leads nowhere."""
    if name == "farthing/__init__.py":  # the one that documents forbid
        return False
    name = re.sub(r"<[^>]+>|NNNN|YYYY", "*", name).rstrip("/")
    if not PATH.fullmatch(name):
        return False
    inside = "/" in name and name.split("/")[0] in names()
    if not inside and not SOURCE.fullmatch(name):
        return False
    return not any(fnmatch(f"/{path}", f"*/{name}") for path in names())


def unknown_command(words: list[str]) -> str | None:
    """Why `farthing WORDS` cannot be run, or None."""
    command: click.Command = importlib.import_module("farthing.cli").main
    options: dict[str, bool] = {"--help": False}
    rest = iter(words)
    for word in rest:
        options |= {
            name: not getattr(p, "is_flag", True)
            for p in command.params
            for name in (*p.opts, *p.secondary_opts)
        }
        if word == "--" or word.startswith(("<", "…")):
            return None
        if word.startswith("-"):
            if word.split("=")[0] not in options:
                return f"{command.name} has no option {word}"
            if options.get(word):
                next(rest, None)  # its value
        elif isinstance(command, click.Group) and not word.isupper():
            found = command.get_command(click.Context(command), word)
            if found is None:
                return f"{command.name} has no command {word}"
            command = found
    return None


def targets() -> set[str]:
    return set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.M))


@each_doc
def test_paths_exist(doc: Path) -> None:
    """Every path of the repository that is named as code leads to a file or folder."""
    inline = [text for language, text in code(doc.read_text()) if language == "inline"]
    assert [name for name in inline if missing_path(name)] == []


@each_doc
def test_links_resolve(doc: Path) -> None:
    """Every relative link leads to a file, and its anchor to a heading."""
    broken = []
    for link in links(doc.read_text()):
        path, _, anchor = link.partition("#")
        target = doc.parent / path if path else doc
        if "://" in link or link.startswith("mailto:"):
            continue
        if not target.exists() or (
            anchor and anchor not in headings(target.read_text())
        ):
            broken.append(link)
    assert broken == []


@each_doc
def test_commands_exist(doc: Path) -> None:
    """Every `farthing …` that is shown is a command with these options."""
    shown = (arguments(words, "farthing") for words in commands(doc.read_text()))
    wrong = {shlex.join(words): unknown_command(words) for words in shown if words}
    assert {words: why for words, why in wrong.items() if why} == {}


@each_doc
def test_make_targets_exist(doc: Path) -> None:
    """Every `make …` that is shown is a target of the Makefile."""
    shown = (arguments(words, "make") or [] for words in commands(doc.read_text()))
    asked = {
        word for words in shown for word in words if re.fullmatch(r"[a-z][\w-]*", word)
    }
    assert asked - targets() == set()


@each_doc
def test_environment_variables_exist(doc: Path) -> None:
    """Every FARTHING_ variable is a collector setting, or named in the sources."""
    portions = ("instrumentation/", "collector/", "dashboards/", "alerts/")
    text = {
        path: (ROOT / path).read_text()
        for path in repository()
        if path.suffix == ".py" and path.as_posix().startswith(portions)
    }
    config = text.get(Path("collector/farthing/collector/config.py"), "")
    everything = "\n".join(text.values())
    unknown = {
        name
        for name in re.findall(r"\bFARTHING_[A-Z_]*[A-Z]\b", doc.read_text())
        if name not in everything
        and not re.search(
            rf"^ +{name.removeprefix('FARTHING_').lower()}:", config, re.M
        )
    }
    assert unknown == set()


def test_nothing_names_a_registry_or_this_machine() -> None:
    """No file of the repository holds a package registry's host or a path of the
    machine on which it was written."""
    found = [
        f"{path}: {word}"
        for path in repository()
        for word in FORBIDDEN
        if word in (ROOT / path).read_bytes().decode(errors="replace")
    ]
    assert found == []


def test_a_decision_has_a_number_of_its_own() -> None:
    """docs/decisions holds NNNN-title.md, each number once."""
    files = [path.name for path in (ROOT / "docs/decisions").iterdir()]
    assert [name for name in files if not re.fullmatch(r"\d{4}-[\w-]+\.md", name)] == []
    numbers = [name[:4] for name in files]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("tests/test_docs.py", False),
        ("tests/", False),
        ("test_docs.py", False),
        ("collector/farthing/collector/dialects/<name>.py", False),
        ("docs/decisions/NNNN-<title>.md", False),
        ("tests/test_nothing.py", True),
        ("nowhere.sql", True),
        ("text/plain", False),
        ("/v1/traces", False),
        ("traces.pb", False),
    ],
)
def test_a_missing_path_is_recognised(name: str, missing: bool) -> None:
    """The check of paths sees what is written like a path of ours, and only that."""
    assert missing_path(name) is missing


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("farthing report --by model", ["report", "--by", "model"]),
        ("A=b .venv/bin/farthing up  # stays up", ["up"]),
        ("cd farthing && farthing sql 'SELECT 1'", ["sql", "SELECT 1"]),
        ("docker compose exec collector farthing doctor", ["doctor"]),
        ("farthing replay FILE… [--to URL]", ["replay", "FILE…", "--to", "URL"]),
        ("pip install farthing", None),
    ],
)
def test_a_shown_command_is_recognised(line: str, expected: list[str] | None) -> None:
    """The check of commands finds ours in the shell lines that documents show."""
    found = [arguments(words, "farthing") for words in simple_commands(line)]
    assert [words for words in found if words is not None] == (
        [] if expected is None else [expected]
    )
