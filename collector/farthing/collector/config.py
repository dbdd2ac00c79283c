"""One file and the environment, read once, checked before anything starts.

What the command line says comes first, then `FARTHING_*` variables, then the file, then
the defaults. Nothing else in the collector reads the environment.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple, Self

import yaml
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from farthing.errors import ConfigError

_PREFIX = "FARTHING_"
_MIB = 1024**2


class HostPort(NamedTuple):
    """An address to listen on; port 0 takes any free port."""

    host: str
    port: int


def _data_folder() -> Path:
    """The user's data folder (XDG base directory specification)."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "farthing"


class Settings(BaseSettings):
    """All that an operator can set. Each is also a variable: FARTHING_ and its name."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, extra="forbid", frozen=True, validate_default=True
    )

    data_dir: Path = Field(default_factory=_data_folder)
    store: SecretStr = SecretStr("")
    """chdb:///path or clickhouse://user:password@host:port/database."""
    cluster: str = ""
    token: SecretStr | None = None
    http_listen: str = "127.0.0.1:4318"
    grpc_listen: str = "127.0.0.1:4317"
    web_listen: str = "127.0.0.1:4319"
    tls_cert: Path | None = None
    tls_key: Path | None = None
    max_request_bytes: int = Field(16 * _MIB, gt=0)
    spool_max_bytes: int = Field(4096 * _MIB, gt=0)
    min_free_bytes: int = Field(256 * _MIB, ge=0)
    load_at_bytes: int = Field(24 * _MIB, gt=0)
    load_at_age_s: float = Field(0.5, ge=0)
    retention_days: int = Field(90, gt=0)
    prices_file: Path | None = None

    @field_validator("http_listen", "grpc_listen", "web_listen")
    @classmethod
    def _is_address(cls, value: str) -> str:
        host_port(value)
        return value

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key go together: set both, or neither")
        return self

    @property
    def store_url(self) -> str:
        """The store's URL, the embedded engine in the data folder by default."""
        url = self.store.get_secret_value()
        return url or f"chdb://{self.data_dir.resolve() / 'ledger'}"

    @property
    def token_text(self) -> str | None:
        """The token that senders and readers must show, None where none is set."""
        return None if self.token is None else self.token.get_secret_value()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The command line, the environment, the file: in this order."""
        del dotenv_settings, file_secret_settings
        path = os.environ.get(f"{_PREFIX}CONFIG")
        file = InitSettingsSource(settings_cls, _read(Path(path)) if path else {})
        return init_settings, env_settings, file


def load_settings(**given: Any) -> Settings:
    """The settings in force; `given` are the command line's, None where not given.

    Raises ConfigError that names every setting that is wrong, and what to do.
    """
    try:
        return Settings(**{k: v for k, v in given.items() if v is not None})
    except ValidationError as error:
        problems = "; ".join(_problem(item) for item in error.errors())
        raise ConfigError(f"the configuration is wrong: {problems}") from error


def host_port(text: str) -> HostPort:
    """`host:port` taken apart; IPv6 addresses stand in brackets."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{text!r} is not host:port, as in 127.0.0.1:4318")
    return HostPort(host.strip("[]"), int(port))


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is not valid YAML: {error}") from error
    if not isinstance(content or {}, dict):
        raise ConfigError(f"{path}: must be settings such as 'retention_days: 30'")
    return content or {}


def _problem(item: Any) -> str:
    name = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        known = ", ".join(sorted(Settings.model_fields))
        return f"there is no setting {name!r}; there are: {known}"
    return f"{name} ({_PREFIX}{name.upper()}): {item['msg']}"
