"""Errors that a result tells in words."""

from __future__ import annotations

import json

import pytest

from farthing.instrumentation.fingerprints.failure import (
    is_failure,
    is_refusal,
    signature,
)

TRACEBACK = """Traceback (most recent call last):
  File "/srv/a.py", line 3, in <module>
    main()
  File "/srv/a.py", line 2, in main
    raise ValueError("no row 17")
ValueError: no row 17
"""


@pytest.mark.parametrize(
    "text",
    [
        "Error: invalid syntax (<string>, line 0)",
        "ERROR: service temporarily unavailable - no data returned. Retry the call.",
        "[ERROR] it broke",
        "ValueError: bad",
        "java.lang.NullPointerException: null",
        TRACEBACK,
        "bash: javac: command not found",
        "ls: /nowhere: No such file or directory",
        "some output\nProcess exited with code 2",
        "<returncode>1</returncode>\n<output></output>",
        "exit code: 127",
        "HTTP 503",
        "503 Service Unavailable",
        "429 Too Many Requests",
        "The upstream said: 503 Service Unavailable",
        "Failed to fetch the page",
        "permission denied",
        json.dumps({"error": "no such city"}),
        json.dumps({"isError": True, "content": []}),
        json.dumps({"success": False}),
        json.dumps({"status": 503, "body": "x"}),
        json.dumps({"status": "error"}),
        json.dumps({"exit_code": 1, "stdout": ""}),
        "x" * 5_000 + "\nCommand exited with code 1",
    ],
)
def test_errors_in_band_are_seen(text: str) -> None:
    """What reads like a failure is one, though the call claims to have worked."""
    assert is_failure(text)


@pytest.mark.parametrize(
    "text",
    [
        "HTTP 503",
        "503 Service Unavailable",
        "The upstream said: 429 Too Many Requests",
        "Error code: 529 - the model is busy",
        "openai.RateLimitError: try again later",
        json.dumps({"error": "503 service unavailable"}),
        json.dumps({"status": 503, "body": "x"}),
        "Traceback (most recent call last):\n  ...\nHTTPError: 502 Server Error: Bad",
    ],
)
def test_refusals_in_band_are_seen(text: str) -> None:
    """What reads like a 429, a 5xx or an overload is the other side's error."""
    assert is_failure(text)
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "ERROR: service temporarily unavailable - no data returned. Retry the call.",
        "Error: 500 rows are too many",
        "HTTP 404",
        "ValueError: status must be below 600",
        "1 failed\n" * 200 + "Process exited with code 1\nHTTP 503",
    ],
)
def test_other_errors_are_the_agents_own(text: str) -> None:
    """An agent that repeats these is not told to try again later."""
    assert is_failure(text)
    assert not is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sunny, 21 degrees",
        "No errors found.",
        "0 errors, 0 warnings",
        "Error analysis of neural networks: a survey",
        "errors = []",
        "exit code: 0",
        "Process exited with code 0",
        "<returncode>0</returncode>",
        "#!/bin/sh\nset -e\nexit 1\n",
        "def f():\n    return 1\n",
        json.dumps({"error": None, "rows": 3}),
        json.dumps({"error": "", "rows": 3}),
        json.dumps({"status": 200}),
        json.dumps({"status": "open", "exit_code": 0}),
        "Order 503 is ready",
        "room 429, second floor",
        "\n".join(f"paper {n}: on error correction" for n in range(200)),
    ],
)
def test_what_only_speaks_of_errors_is_none(text: str) -> None:
    """Healthy results are not taken for failures."""
    assert not is_failure(text)


def test_an_error_has_one_signature_whatever_it_is_about() -> None:
    """The signature is the line that tells the error, without quotes and numbers."""
    assert signature(TRACEBACK) == signature(TRACEBACK.replace("17", "4"))
    assert signature(TRACEBACK) == "valueerror: no row #"
    assert signature("ok so far\nNameError: name 'a' is not defined\n") == signature(
        "NameError: name 'b' is not defined"
    )
    assert signature("Error: one thing") != signature("Error: another thing")
    assert signature("") == ""
