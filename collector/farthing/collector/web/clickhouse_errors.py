"""ClickHouse's error codes, as its HTTP interface tells them.

Clients act on the number (header ``X-ClickHouse-Exception-Code`` and the text's
``Code: N.``); the HTTP status only says whose fault it is. The mapping follows
ClickHouse's ``exceptionCodeToHTTPStatus``, with two differences: a refused write
(164) is 403 rather than 500, since nothing failed, and being too busy (202) is 503,
so that clients and proxies try again.
"""

from __future__ import annotations

import re

from farthing.errors import FarthingError

BAD_ARGUMENTS = 36
NOT_IMPLEMENTED = 48
SYNTAX_ERROR = 62
UNKNOWN_FORMAT = 73
READONLY = 164
REQUIRED_PASSWORD = 194
TOO_MANY_SIMULTANEOUS_QUERIES = 202
QUERY_IS_TOO_LARGE = 229
CANNOT_DECOMPRESS = 271
TOO_MANY_ROWS_OR_BYTES = 396
ACCESS_DENIED = 497
AUTHENTICATION_FAILED = 516
STD_EXCEPTION = 1001

_NAMES = {
    BAD_ARGUMENTS: "BAD_ARGUMENTS",
    NOT_IMPLEMENTED: "NOT_IMPLEMENTED",
    SYNTAX_ERROR: "SYNTAX_ERROR",
    UNKNOWN_FORMAT: "UNKNOWN_FORMAT",
    READONLY: "READONLY",
    REQUIRED_PASSWORD: "REQUIRED_PASSWORD",
    TOO_MANY_SIMULTANEOUS_QUERIES: "TOO_MANY_SIMULTANEOUS_QUERIES",
    QUERY_IS_TOO_LARGE: "QUERY_IS_TOO_LARGE",
    CANNOT_DECOMPRESS: "CANNOT_DECOMPRESS",
    TOO_MANY_ROWS_OR_BYTES: "TOO_MANY_ROWS_OR_BYTES",
    ACCESS_DENIED: "ACCESS_DENIED",
    AUTHENTICATION_FAILED: "AUTHENTICATION_FAILED",
    STD_EXCEPTION: "STD_EXCEPTION",
}

_UNPARSABLE = (6, 25, 26, 27, 38, 41, 72, 376, 427, 441, 675, 676)
_WRONG_STATEMENT = (8, 15, 37, 44, 53, SYNTAX_ERROR, 117, 123, 167, 168, 223, 321, 456)
_UNKNOWN_THING = (46, 47, 50, 56, 60, 63, UNKNOWN_FORMAT, 78, 81, 115, 152, 336, 511)
_NOT_PERMITTED = (192, 193, AUTHENTICATION_FAILED, 512, ACCESS_DENIED, READONLY)

_CODES_OF_STATUS = {
    400: (BAD_ARGUMENTS, CANNOT_DECOMPRESS, *_UNPARSABLE, *_WRONG_STATEMENT),
    401: (REQUIRED_PASSWORD,),
    403: _NOT_PERMITTED,
    404: _UNKNOWN_THING,
    408: (159,),  # TIMEOUT_EXCEEDED
    411: (381,),  # HTTP_LENGTH_REQUIRED
    413: (QUERY_IS_TOO_LARGE,),
    415: (779,),  # UNSUPPORTED_MEDIA_TYPE
    501: (NOT_IMPLEMENTED,),
    503: (76, 209, 439, TOO_MANY_SIMULTANEOUS_QUERIES),
}
_STATUS_OF_CODE = {
    code: status for status, codes in _CODES_OF_STATUS.items() for code in codes
}

_PREFIX = re.compile(r"Code: (\d+)\. (?:DB::Exception: )?")
_TRAILER = re.compile(r"(?:\.?\s*\((?:[A-Z][A-Z0-9_]+|version [^()]*)\)\.?)+\s*$")
_NAME = re.compile(r"\(([A-Z][A-Z0-9_]+)\)")


class ClickHouseError(FarthingError):
    """An answer that is an error, with ClickHouse's code and name for it."""

    def __init__(self, code: int, message: str, *, name: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.name = name or _NAMES.get(code, "UNKNOWN_EXCEPTION")

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return _STATUS_OF_CODE.get(self.code, 500)

    def text(self, version: str) -> str:
        """The body, in the form that every client parses."""
        return (
            f"Code: {self.code}. DB::Exception: {self}. ({self.name}) "
            f"(version {version} (farthing))\n"
        )


def no_reading(what: str) -> ClickHouseError:
    """The refusal of what would do more than read."""
    return ClickHouseError(
        READONLY, f"Cannot execute query in readonly mode: {what} is not served here"
    )


def denied(what: str) -> ClickHouseError:
    """The refusal of reading something that is not served."""
    return ClickHouseError(
        ACCESS_DENIED, f"Not enough privileges: {what} may not be used here"
    )


def from_engine(text: str) -> ClickHouseError:
    """The error that the engine's exception text tells of.

    An exception that passes through chdb twice repeats prefix and trailer:
    ``Code: 60. DB::Exception: Code: 60. DB::Exception: ... (NAME) (version). (NAME)``.
    """
    start = _PREFIX.search(text)
    if start is None:
        return ClickHouseError(STD_EXCEPTION, text.strip())
    message = text[start.end() :]
    while (again := _PREFIX.match(message)) is not None:
        message = message[again.end() :]
    trailer = _TRAILER.search(message)
    names = _NAME.findall(trailer.group()) if trailer else []
    message = message[: trailer.start()] if trailer else message
    return ClickHouseError(
        int(start.group(1)),
        message.strip().rstrip("."),
        name=names[-1] if names else None,
    )
