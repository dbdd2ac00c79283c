"""Certificates that sign themselves."""

from __future__ import annotations

import subprocess
from pathlib import Path

from farthing.collector.receive.settings import Tls


def self_signed(folder: Path, name: str) -> Tls:
    """A certificate for the host `name`, good for two days."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"),
            *("-out", str(certificate), "-keyout", str(key)),
        ],
        check=True,
        capture_output=True,
    )
    return Tls(certificate, key)
