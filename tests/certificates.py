"""Certificates that sign themselves, and one that an authority signed."""

from __future__ import annotations

import subprocess
from pathlib import Path

from farthing.collector.receive.settings import Tls


def self_signed(folder: Path, name: str) -> Tls:
    """A certificate for the host `name`, good for two days."""
    return _made(folder / "certificate.pem", folder / "key.pem", name)


def signed(folder: Path, name: str) -> Tls:
    """The same, but signed by an authority that nobody knows."""
    authority = _made(folder / "authority.pem", folder / "authority.key", "authority")
    by = ("-CA", str(authority.certificate), "-CAkey", str(authority.key))
    return _made(folder / "certificate.pem", folder / "key.pem", name, *by)


def _made(certificate: Path, key: Path, name: str, *more: str) -> Tls:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"),
            *("-out", str(certificate), "-keyout", str(key), *more),
        ],
        check=True,
        capture_output=True,
    )
    return Tls(certificate, key)
