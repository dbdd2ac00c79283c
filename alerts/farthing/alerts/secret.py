"""Secrets of channels: named by their place in the configuration, shown nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import BeforeValidator, SecretStr, ValidationInfo

REDACTED: Final = "***"
_SHORTEST: Final = 6  # shorter texts would redact words of the sentence around them


def _from_its_place(value: Any, info: ValidationInfo) -> SecretStr:
    """What `{env: NAME}` or `{file: PATH}` points to; ValueError says what is wrong."""
    match value:
        case {"env": str(name), **rest} if not rest:
            text = _environ(info).get(name, "")
            place = f"the variable {name}"
        case {"file": str(name), **rest} if not rest:
            text, place = _read(Path(name)), f"the file {name}"
        case _:
            raise ValueError(
                "a secret is not written here: say where it is, as in"
                " {env: SLACK_TOKEN} or {file: /run/secrets/slack}"
            )
    if not text.strip():
        raise ValueError(f"{place} is not set or empty")
    return SecretStr(text.strip())


Secret = Annotated[SecretStr, BeforeValidator(_from_its_place)]
"""A field that takes `{env: NAME}` or `{file: PATH}` and holds what is there.

Validate with `context={"environ": ...}`: nothing here reads the process's environment.
"""


def _environ(info: ValidationInfo) -> Mapping[str, str]:
    environ: Mapping[str, str] = (info.context or {}).get("environ", {})
    return environ


def _read(path: Path) -> str:
    try:
        return path.expanduser().read_text()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` without any of `secrets`, nor the path or query of one that is a URL: the
    address of a webhook is its password, and errors quote it in parts."""
    for part in sorted(_parts(secrets), key=len, reverse=True):
        text = text.replace(part, REDACTED)
    return text


def _parts(secrets: Iterable[str]) -> set[str]:
    found = set()
    for secret in secrets:
        found.add(secret)
        if "://" in secret:
            url = urlsplit(secret)
            found |= {url.path, url.query, url.netloc.rpartition("@")[0]}
    return {part for part in found if len(part) >= _SHORTEST}
