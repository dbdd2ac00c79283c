"""Errors of the engine, as clients are told them."""

from __future__ import annotations

import pytest

from farthing.collector.web.clickhouse_errors import ClickHouseError, from_engine


@pytest.mark.parametrize(
    ("text", "code", "name", "message"),
    [
        (
            "Code: 60. DB::Exception: Unknown table 'x'. (UNKNOWN_TABLE)",
            60,
            "UNKNOWN_TABLE",
            "Unknown table 'x'",
        ),
        (
            (
                "Code: 164. DB::Exception: Code: 164. DB::Exception: No (really). "
                "(READONLY) (version 26.9.2.1). (READONLY)"
            ),
            164,
            "READONLY",
            "No (really)",
        ),
        (
            (
                "Insert failed: Code: 27. DB::Exception: Cannot parse: "
                "(at row 2)\n: While executing CSV. "
                "(CANNOT_PARSE_INPUT_ASSERTION_FAILED) (version 26.9.2.1)"
            ),
            27,
            "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
            "Cannot parse: (at row 2)\n: While executing CSV",
        ),
        ("something else", 1001, "STD_EXCEPTION", "something else"),
    ],
)
def test_the_engines_text_is_taken_apart(
    text: str, code: int, name: str, message: str
) -> None:
    """Code, name and message are found, whatever chdb put around them."""
    error = from_engine(text)
    assert (error.code, error.name, str(error)) == (code, name, message)


def test_the_text_is_put_together_again() -> None:
    """Clients parse this form."""
    error = ClickHouseError(60, "Unknown table 'x'", name="UNKNOWN_TABLE")
    assert error.text("26.9") == (
        "Code: 60. DB::Exception: Unknown table 'x'. (UNKNOWN_TABLE) "
        "(version 26.9 (farthing))\n"
    )


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (62, 400),
        (194, 401),
        (516, 403),
        (497, 403),
        (164, 403),
        (60, 404),
        (159, 408),
        (229, 413),
        (48, 501),
        (202, 503),
        (241, 500),
        (999, 500),
    ],
)
def test_statuses(code: int, status: int) -> None:
    """The status follows from the code."""
    assert ClickHouseError(code, "").status == status
