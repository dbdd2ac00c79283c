"""The errors of Farthing, each answering its caller's question.

FarthingError
├── ConfigError      the operator must fix it; at start only; exit code 2
├── BadPayload       the sender must not retry -> 400 / INVALID_ARGUMENT
│   └── TooLarge     -> 413 / RESOURCE_EXHAUSTED
├── Overloaded       the sender should retry   -> 429 or 503 + Retry-After
└── StoreUnavailable the ledger is away; what was accepted waits in the spool
"""

from __future__ import annotations


class FarthingError(Exception):
    """Base of every error that Farthing raises on purpose."""


class ConfigError(FarthingError):
    """The operator's configuration is wrong; the message says what to change."""


class BadPayload(FarthingError):
    """A request that will never be accepted: the sender must not retry it."""


class TooLarge(BadPayload):
    """A request above a size limit, compressed or decompressed."""


class Overloaded(FarthingError):
    """No room now: the sender should retry after `retry_after_s` seconds."""

    def __init__(self, reason: str, *, retry_after_s: int = 5) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class StoreUnavailable(FarthingError):
    """The ledger's database does not answer; the operation may be retried."""
