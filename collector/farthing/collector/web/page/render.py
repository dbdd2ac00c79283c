"""Templates, filled. Everything is escaped but what `figures` and `sparkline` made."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from farthing.collector.report import amounts

log = logging.getLogger(__name__)

THEME_COOKIE: Final = "farthing_theme"
_THEMES: Final = frozenset({"light", "dark"})
_BAR_WIDTH: Final = 100
_CODE: Final = Markup("<code>{}</code>")
_PLAIN: Final = Markup("{}")


class Templates:
    """The templates of the page. `asset` gives the URL of a file of `static/`."""

    def __init__(
        self, *, asset: Callable[[str], str], otlp_url: str, has_token: bool
    ) -> None:
        self._environment = Environment(
            loader=PackageLoader("farthing.collector.web.page"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {
            "asset": asset,
            "otlp_url": otlp_url,
            "has_token": has_token,
            "amounts": amounts,
        }
        self._environment.filters["picture"] = _picture
        self._environment.filters["bar_width"] = _bar_width
        self._environment.filters["capital"] = _capital
        self._environment.filters["code"] = _code
        self._environment.filters["breakable"] = _breakable

    def text(self, name: str, **values: Any) -> str:
        """A template, filled."""
        return self._environment.get_template(name).render(**values)

    def page(
        self, request: Request, name: str, status: int = 200, **values: Any
    ) -> Response:
        """A template as an answer, in the theme that the browser asks for."""
        return HTMLResponse(self.text(name, theme=_theme(request), **values), status)

    def pieces(self, request: Request, name: str, **values: Any) -> Iterator[str]:
        """A template as `page` fills it, as far as its values are known. What fails
        after the beginning was sent says so where it stands."""
        template = self._environment.get_template(name)
        try:
            yield from template.generate(theme=_theme(request), **values)
        except Exception as error:
            log.exception("a page failed halfway")
            yield self.text("failed.html", detail=of_a_bug(error))

    def problem(
        self, request: Request, status: int, title: str, detail: str
    ) -> Response:
        """The page that says what is wrong and what to do."""
        return self.page(request, "problem.html", status, title=title, detail=detail)


def of_a_bug(error: Exception) -> str:
    """What is told of an error that nobody foresaw."""
    return (
        f"This is a bug of Farthing ({type(error).__name__}); the collector goes on"
        " receiving. Its log says more."
    )


def _theme(request: Request) -> str:
    theme = request.cookies.get(THEME_COOKIE, "")
    return theme if theme in _THEMES else ""


def _picture(svg: str) -> Markup:
    """An SVG of ours, as it is: it holds numbers alone."""
    return Markup(svg)  # noqa: S704 - made by sparkline() of numbers


def _capital(text: str) -> str:
    """The text with its first letter large, the others as they are; a name of ours,
    with a low line, stays as it is."""
    first = text[:1] if "_" in text.partition(":")[0] else text[:1].upper()
    return first + text[1:]


def _breakable(text: str) -> Markup:
    """The text, escaped, with places to break a long name at, before it is broken in
    the middle of a word."""
    return Markup("<wbr>").join(re.split(r"(?<=[._/])(?=\w)", text))


def _code(text: str) -> Markup:
    """The text, escaped, with what stands in backticks as code."""
    pieces = enumerate(text.split("`"))
    marked = ((_CODE if at % 2 else _PLAIN).format(piece) for at, piece in pieces)
    return Markup("").join(marked)


def _bar_width(share: float) -> str:
    """Of a bar 100 wide; what is not nothing can be seen."""
    return f"{max(share * _BAR_WIDTH, 1):.1f}"
