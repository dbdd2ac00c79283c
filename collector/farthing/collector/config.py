"""One file and the environment, read once, checked before anything starts.

What the command line says comes first, then `FARTHING_*` variables, then the file, then
the defaults. Nothing else in the collector reads the environment.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from farthing.errors import ConfigError, not_yaml

PREFIX: Final = "FARTHING_"
FILE_VARIABLE: Final = f"{PREFIX}CONFIG"
UNSET: Final = "-"
"""What is shown of a setting that has no value."""
_MIB = 1024**2
_CLOSE: Final = 0.8


class HostPort(NamedTuple):
    """An address to listen on; port 0 takes any free port."""

    host: str
    port: int


def _data_folder() -> Path:
    """The user's data folder (XDG base directory specification)."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "farthing"


def cache_folder() -> Path:
    """The user's folder for what can be made again (XDG base directories)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "farthing"


class Settings(BaseModel):
    """All that an operator can set. Each is also a variable: FARTHING_ and its name."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    data_dir: Path = Field(
        default_factory=_data_folder,
        description="Folder of the embedded ledger, of what waits to be loaded and of"
        " what the ledger refused.",
    )
    store: SecretStr = Field(
        default=SecretStr(""),
        description="`chdb:///path` (the engine in this process, `ledger` in the data"
        " folder by default) or `clickhouse://user:password@host:8123/database`"
        " (`clickhouses://` with TLS).",
    )
    cluster: str = Field(
        default="",
        description="Name of the ClickHouse cluster that the tables are made on.",
    )
    token: SecretStr | None = Field(
        default=None,
        description="What senders and readers must show. Needed to listen beyond this"
        " machine.",
    )
    http_listen: str = Field(
        default="127.0.0.1:4318",
        description="OTLP over HTTP, `/healthz`, `/readyz`, `/metrics`; port 0 takes"
        " any free one.",
    )
    grpc_listen: str = Field(default="127.0.0.1:4317", description="OTLP over gRPC.")
    web_listen: str = Field(
        default="127.0.0.1:4319",
        description="The page, and questions to the embedded ledger.",
    )
    tls_cert: Path | None = Field(
        default=None, description="Certificate (PEM) of all three, with `tls_key`."
    )
    tls_key: Path | None = Field(default=None, description="Its private key (PEM).")
    max_request_bytes: int = Field(
        default=16 * _MIB,
        gt=0,
        description="Largest request that is accepted, as sent and decompressed.",
    )
    spool_max_bytes: int = Field(
        default=4096 * _MIB,
        gt=0,
        description="What may wait to be loaded, as stored, before senders are told to"
        " retry.",
    )
    min_free_bytes: int = Field(
        default=256 * _MIB,
        ge=0,
        description="Room that is left on the disk: below it senders are told to"
        " retry.",
    )
    load_at_bytes: int = Field(
        default=_MIB,
        gt=0,
        description="Load as soon as this much waits, as stored.",
    )
    load_at_age_s: float = Field(
        default=1.0, ge=0, description="Load what has waited for so many seconds."
    )
    retention_days: int = Field(
        default=90,
        gt=0,
        description="Days for which spans are kept.",
    )
    runs_retention_days: int | None = Field(
        default=None, gt=0, description="Days for which runs are kept; else for good."
    )
    spend_retention_days: int | None = Field(
        default=None,
        gt=0,
        description="Days for which hourly spend is kept; else for good.",
    )
    prices_file: Path | None = Field(
        default=None,
        description="Your own prices, on top of the price book's; read anew when it"
        " changes.",
    )
    price_book: Path | None = Field(
        default=None,
        description="Folder of a compiled price book in place of Farthing's own, as"
        " `farthing prices compile` makes it; read anew when it changes.",
    )
    alerts_file: Path | None = Field(
        default=None,
        description="Who is told of what: channels, routes, owners, changes to rules.",
    )
    budgets_file: Path | None = Field(
        default=None, description="Budgets of users, teams, units, tasks and runs."
    )

    @field_validator(
        *("data_dir", "tls_cert", "tls_key"),
        *("prices_file", "price_book", "alerts_file", "budgets_file"),
    )
    @classmethod
    def _without_tilde(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser()

    @field_validator("http_listen", "grpc_listen", "web_listen")
    @classmethod
    def _is_address(cls, value: str) -> str:
        host_port(value)
        return value

    @field_validator("tls_key")
    @classmethod
    def _tls_is_whole(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if "tls_cert" in info.data and (info.data["tls_cert"] is None) != (
            value is None
        ):
            raise ValueError("tls_cert and tls_key go together: set both, or neither")
        return value

    @property
    def page_url(self) -> str:
        """Where the page is, as seen from this machine; empty where that is known only
        once it is served, with port 0."""
        host, port = host_port(self.web_listen)
        scheme = "https" if self.tls_cert else "http"
        return f"{scheme}://{shown(host)}:{port}" if port else ""

    @property
    def store_url(self) -> str:
        """The store's URL, the embedded engine in the data folder by default."""
        return self.store.get_secret_value() or ledger_url(self.data_dir)

    @property
    def token_text(self) -> str | None:
        """The token that senders and readers must show, None where none is set."""
        return None if self.token is None else self.token.get_secret_value()


@dataclass(frozen=True, slots=True)
class Told:
    """One setting in force, fit to be shown, and who set it.

    `source` is `command line`, the variable's name, the file's path or `default`.
    """

    name: str
    value: str
    source: str


def load_settings(*, config: Path | None = None, **given: Any) -> Settings:
    """The settings in force.

    `config` is the file to read instead of the one that FARTHING_CONFIG names; `given`
    are the command line's settings, None where not given.

    Raises ConfigError that names every setting that is wrong, and what to do.
    """
    values = {name: value for name, (value, _) in _gathered(config, given).items()}
    try:
        return Settings(**values)
    except ValidationError as error:
        problems = "; ".join(_problem(item) for item in error.errors())
        raise ConfigError(f"the configuration is wrong: {problems}") from None


def told_settings(*, config: Path | None = None, **given: Any) -> list[Told]:
    """Every setting in force and where it comes from, secrets redacted.

    Raises ConfigError as `load_settings` does.
    """
    settings = load_settings(config=config, **given)
    sources = {name: who for name, (_, who) in _gathered(config, given).items()}
    return [
        Told(name, _shown(name, settings), sources.get(name, "default"))
        for name in Settings.model_fields
    ]


def unknown_variables() -> dict[str, str]:
    """FARTHING_ variables that nothing reads but that look like a setting's, which is
    the value. Agents have variables of their own, so unlike ones are left alone."""
    known = [variable(name) for name in Settings.model_fields]
    found = {}
    for name in os.environ:
        if not name.startswith(PREFIX) or name in (*known, FILE_VARIABLE):
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=_CLOSE)
        if near:
            found[name] = near[0]
    return found


def environment() -> Mapping[str, str]:
    """The variables of this process, for what the settings' files point to."""
    return os.environ


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def ledger_url(data_dir: Path) -> str:
    """The store's URL of the embedded ledger in a data folder."""
    return f"chdb://{quote(str(data_dir.resolve() / 'ledger'))}"


def host_port(text: str) -> HostPort:
    """`host:port` taken apart; IPv6 addresses stand in brackets."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{text!r} is not host:port, as in 127.0.0.1:4318")
    return HostPort(host.strip("[]"), int(port))


def shown(host: str) -> str:
    """A host as it stands in a URL; one that means every address is this machine."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - shown, not bound
        host = "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _gathered(
    config: Path | None, given: Mapping[str, Any]
) -> dict[str, tuple[Any, str]]:
    """What is set, by name, and by whom; the later of these wins. A variable that is
    empty is not set: that is how Compose files leave one out."""
    path = config or (Path(os.environ[FILE_VARIABLE]) if _names_file() else None)
    values: dict[str, tuple[Any, str]] = {}
    if path is not None:
        values |= {name: (value, str(path)) for name, value in _read(path).items()}
    for name in Settings.model_fields:
        text = os.environ.get(variable(name))
        if text:
            values[name] = (text, variable(name))
    said = {name: value for name, value in given.items() if value is not None}
    return values | {name: (value, "command line") for name, value in said.items()}


def _names_file() -> bool:
    return bool(os.environ.get(FILE_VARIABLE))


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not text in UTF-8") from None
    except yaml.YAMLError as error:
        raise not_yaml(path, error) from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: must be settings such as 'retention_days: 30'")
    return {str(name): value for name, value in content.items()}


def _problem(item: Any) -> str:
    name = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"there is no setting {name!r}; {_instead(name)}"
    message = item["msg"].removeprefix("Value error, ")
    return f"{name} ({variable(name)}): {message}"


def _instead(name: str) -> str:
    near = difflib.get_close_matches(name.lower(), Settings.model_fields, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"there are: {', '.join(sorted(Settings.model_fields))}"


def _shown(name: str, settings: Settings) -> str:
    if name == "store":
        return _without_password(settings.store_url)
    value = getattr(settings, name)
    return UNSET if value is None or value == "" else str(value)


def _without_password(url: str) -> str:
    before, at, host = url.rpartition("@")
    scheme, slashes, login = before.partition("://")
    user, colon, _ = login.partition(":")
    hidden = f"{user}:**********" if colon else user
    return f"{scheme}{slashes}{hidden}{at}{host}" if at else url
