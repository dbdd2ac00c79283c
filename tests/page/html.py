"""HTML as a test reads it: tables as rows of texts, elements by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset(
    {"meta", "link", "input", "br", "wbr", "rect", "circle", "path", "polyline"}
)


@dataclass
class Element:
    """An element, its attributes, its text and what is in it."""

    name: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All the text in it, in order, without the blanks at its ends."""
        return "".join(self.pieces).strip()

    def all(self, name: str = "", /, **attributes: str) -> list[Element]:
        """The elements in it of a name, with attributes; `class_` is one of several."""
        found = []
        for child in self.children:
            if (not name or child.name == name) and child._has(attributes):
                found.append(child)
            found += child.all(name, **attributes)
        return found

    def one(self, name: str = "", /, **attributes: str) -> Element:
        """The only one."""
        [found] = self.all(name, **attributes)
        return found

    def _has(self, wanted: dict[str, str]) -> bool:
        for name, value in wanted.items():
            told = self.attributes.get(name.rstrip("_").replace("_", "-"), "")
            if value not in (told.split() if name == "class_" else [told]):
                return False
        return True


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(made)
        if tag not in VOID:
            self._open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(made)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open[-1].name == tag, f"</{tag}> in {self._open[-1].name}"
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.pieces.append(data)


def read(text: str) -> Element:
    """The document; an AssertionError where elements are not nested."""
    reader = _Reader()
    reader.feed(text)
    assert len(reader._open) == 1, f"{reader._open[-1].name} is not closed"
    return reader.root


def table(page: Element, panel: str) -> list[list[str]]:
    """The rows of a panel's table, without its headings."""
    card = page.one("section", data_panel=panel)
    body = card.one("tbody")
    return [[cell.text for cell in row.all("td")] for row in body.all("tr")]
