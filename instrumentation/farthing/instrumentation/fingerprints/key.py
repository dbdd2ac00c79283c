"""The key under which an installation's fingerprints are made."""

from __future__ import annotations

import logging
import os
import secrets
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final

KEY_VARIABLE: Final = "FARTHING_FINGERPRINT_KEY"
FILE_NAME: Final = "fingerprint.key"
_KEY_BYTES = 32
_logger = logging.getLogger(__name__)


def default_folder() -> Path:
    """Where the key is kept unless the caller has a better place."""
    return Path("~/.local/share/farthing").expanduser()


def load_key(setting: str = "", *, folder: Path | None = None) -> bytes:
    """The installation's key, 32 bytes. Never raises.

    `setting` is what the user gave, any text. Without one the key is read from a file
    in `folder`, which is made (mode 0600) on first use. Where it cannot be, the key is
    derived from what tells this installation from others: the same in each process of
    it, but guessable by who knows the machine.
    """
    if setting:
        return _digest(setting)
    try:
        path = (folder or default_folder()) / FILE_NAME
        return _digest(_stored(path))
    except (OSError, RuntimeError, ValueError) as error:
        _logger.info(
            "fingerprints: no key can be kept (%s); set %s", error, KEY_VARIABLE
        )
        return _digest(_derived())


def _stored(path: Path) -> str:
    """The text of the key file; of several that make it at once, the first wins."""
    try:
        return _read(path)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{FILE_NAME}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_KEY_BYTES))
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
    return _read(path)


def _read(path: Path) -> str:
    text = path.read_text(encoding="ascii").strip()
    if len(text) < _KEY_BYTES:
        raise ValueError(f"{path} holds no key; delete it and a new one is made")
    return text


def _derived() -> str:
    machine = ""
    for name in ("/etc/machine-id", "/etc/hostname"):
        try:
            machine = Path(name).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            continue
        if machine:
            break
    return f"farthing\0{machine}\0{os.getuid() if hasattr(os, 'getuid') else ''}"


def _digest(text: str) -> bytes:
    return blake2b(text.encode(errors="replace"), digest_size=_KEY_BYTES).digest()
