"""What an operator can set about receiving, and what must hold before it starts."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from farthing.errors import ConfigError

_MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What one request, and all of them together, may cost.

    `max_bytes` is for a request as protobuf or JSON, after decompression;
    `max_compressed_bytes` for a compressed body on the wire. Checking a request
    that was built to hurt takes up to 32 times its size in memory for a moment
    (measured: two bytes make an empty attribute), so raise `max_bytes` with care.
    """

    max_bytes: int = 16 * _MIB
    max_compressed_bytes: int = 16 * _MIB
    max_in_flight_bytes: int = 128 * _MIB
    max_connections: int = 4096
    max_header_bytes: int = 64 * 1024
    header_timeout_s: float = 10.0
    body_timeout_s: float = 30.0
    # Above the intervals at which exporters send (5 s), or their connections
    # would be closed just as they are used again.
    idle_timeout_s: float = 75.0
    stop_timeout_s: float = 5.0

    def __post_init__(self) -> None:
        if self.max_in_flight_bytes < self.max_bytes:
            raise ConfigError(
                f"max_in_flight_bytes ({self.max_in_flight_bytes}) is below max_bytes"
                f" ({self.max_bytes}): the largest request could never be received"
            )


@dataclass(frozen=True)
class Tls:
    """A certificate chain and its private key, both PEM files."""

    certificate: Path
    key: Path

    def __post_init__(self) -> None:
        for path in (self.certificate, self.key):
            if not path.is_file():
                raise ConfigError(f"TLS: there is no file {path}")


@dataclass(frozen=True)
class ReceiveSettings:
    """Where to listen and for whom. Port 0 takes any free port."""

    http_host: str = "127.0.0.1"
    http_port: int = 4318
    grpc_host: str = "127.0.0.1"
    grpc_port: int = 4317
    token: str | None = None
    tls: Tls | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        check_binding(self.http_host, self.token)
        check_binding(self.grpc_host, self.token)


def check_binding(host: str, token: str | None) -> None:
    """Refuse to listen beyond this machine without a token.

    Raises:
        ConfigError: says how to fix it.
    """
    if token is not None and not token.strip():
        raise ConfigError("the token is empty: set one, or leave the setting out")
    if token is None and not is_loopback(host):
        raise ConfigError(
            f"listening on {host or 'all interfaces'} without a token would let anyone"
            " who reaches this machine write to the ledger: set FARTHING_TOKEN"
            " to one (python -c 'import secrets; print(secrets.token_urlsafe(32))')"
            " or listen on 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine's loopback: 127.0.0.0/8, ::1, localhost."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
