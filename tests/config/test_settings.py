"""One file and the environment: who wins, what is wrong, and what is never shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from farthing.collector.alerting import alert_policy
from farthing.collector.config import (
    Settings,
    host_port,
    ledger_url,
    load_settings,
    told_settings,
    unknown_variables,
    variable,
)
from farthing.collector.parts import web_listener
from farthing.collector.store.client import Address
from farthing.errors import ConfigError


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("FARTHING_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "farthing.yaml"


def test_the_command_line_wins(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line wins over a variable, that over the file, that over the
    default; and each setting says who set it."""
    file.write_text("retention_days: 1\ncluster: blue\nload_at_age_s: 2\n")
    monkeypatch.setenv("FARTHING_CONFIG", str(file))
    monkeypatch.setenv("FARTHING_RETENTION_DAYS", "2")
    monkeypatch.setenv("FARTHING_CLUSTER", "green")
    settings = load_settings(retention_days=3, cluster=None)
    assert settings.retention_days == 3
    assert settings.cluster == "green"
    assert settings.load_at_age_s == 2
    assert settings.min_free_bytes == 256 * 1024**2
    who = {told.name: told.source for told in told_settings(retention_days=3)}
    assert who["retention_days"] == "command line"
    assert who["cluster"] == "FARTHING_CLUSTER"
    assert who["load_at_age_s"] == str(file)
    assert who["min_free_bytes"] == "default"


def test_a_named_file_replaces_the_configured_one(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--config` is read instead of what FARTHING_CONFIG names."""
    file.write_text("retention_days: 5\n")
    monkeypatch.setenv("FARTHING_CONFIG", "/nowhere.yaml")
    assert load_settings(config=file).retention_days == 5


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable without a value leaves its setting alone."""
    monkeypatch.setenv("FARTHING_TOKEN", "")
    monkeypatch.setenv("FARTHING_RETENTION_DAYS", "")
    settings = load_settings()
    assert settings.token_text is None
    assert settings.retention_days == 90


def test_every_problem_is_told_at_once(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One start names all that is wrong, with the variable to set."""
    file.write_text("retention_day: 3\nweb_listen: nowhere\nspool_max_bytes: -1\n")
    monkeypatch.setenv("FARTHING_TLS_CERT", "/cert.pem")
    with pytest.raises(ConfigError) as caught:
        load_settings(config=file, load_at_bytes="many")
    told = str(caught.value)
    assert "no setting 'retention_day'; did you mean 'retention_days'?" in told
    assert "web_listen (FARTHING_WEB_LISTEN): 'nowhere' is not host:port" in told
    assert "spool_max_bytes (FARTHING_SPOOL_MAX_BYTES): Input should be greater" in told
    assert "tls_cert and tls_key go together" in told
    assert "load_at_bytes" in told
    assert "\n" not in told


def test_an_unlike_name_lists_what_there_is(file: Path) -> None:
    """A setting that resembles none is answered with all names."""
    file.write_text("zzz: 1\n")
    with pytest.raises(
        ConfigError, match="there are: alerts_file, budgets_file, cluster, data_dir, "
    ):
        load_settings(config=file)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("token: sesame\n  x: [", ":2:4: is not valid YAML"),
        ("- token: sesame", "must be settings such as"),
        ("token: [sesame]", "Input should be a valid string"),
        ("store: {a: sesame}", "Input should be a valid string"),
        ("store: 'mysql://u:sesame@h'\nretention_days: 0", "retention_days"),
    ],
)
def test_a_broken_file_keeps_its_secrets(content: str, told: str, file: Path) -> None:
    """An error says what is wrong with the file and quotes no value of a secret."""
    file.write_text(content)
    with pytest.raises(ConfigError) as caught:
        load_settings(config=file)
    assert told in str(caught.value)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"# nothing yet\n"])
def test_an_empty_file_sets_nothing(content: bytes, file: Path) -> None:
    """A file without settings is a file."""
    file.write_bytes(content)
    assert load_settings(config=file) == load_settings()


def test_a_file_that_cannot_be_read_is_named(file: Path) -> None:
    """A missing file, and one that is no text, are errors with the file's name."""
    with pytest.raises(ConfigError, match=r"farthing\.yaml: cannot be read: No such"):
        load_settings(config=file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"farthing\.yaml"):
        load_settings(config=file)


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the settings' own text nor what doctor shows holds token or password."""
    monkeypatch.setenv("FARTHING_TOKEN", "sesame")
    monkeypatch.setenv("FARTHING_STORE", "clickhouse://u:sesame@db:8123/x")
    settings = load_settings()
    assert settings.token_text == "sesame"
    assert settings.store_url == "clickhouse://u:sesame@db:8123/x"
    shown = f"{settings!r}{settings}{told_settings()}"
    assert "sesame" not in shown
    assert "clickhouse://u:**********@db:8123/x" in shown


def test_a_misspelt_variable_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is almost a setting's is told with that; agents' variables are
    left alone."""
    monkeypatch.setenv("FARTHING_RETENTION_DAY", "3")
    monkeypatch.setenv("FARTHING_BUSINESS_UNIT", "claims")
    monkeypatch.setenv("FARTHING_CONFIG", "")
    assert unknown_variables() == {"FARTHING_RETENTION_DAY": "FARTHING_RETENTION_DAYS"}


def test_folders_may_begin_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the user's home, wherever a path is set."""
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("FARTHING_DATA_DIR", "~/ledger")
    assert load_settings().data_dir == Path("/home/ada/ledger")


@pytest.mark.parametrize("name", ["plain", "with space", "a#b?c%20d", "ünï"])
def test_any_folder_can_hold_the_ledger(name: str, tmp_path: Path) -> None:
    """The ledger's address leads back to the folder, whatever its name."""
    folder = tmp_path / name
    assert Address.parse(ledger_url(folder)).path == folder.resolve() / "ledger"
    assert load_settings(data_dir=folder).store_url == ledger_url(folder)


@pytest.mark.parametrize("text", ["4318", "host:", ":4318", "h:99999", "h:port", ""])
def test_what_is_no_address_is_refused(text: str) -> None:
    """An address is host and port."""
    with pytest.raises(ValueError, match="is not host:port"):
        host_port(text)


def test_ipv6_stands_in_brackets() -> None:
    """The brackets of an IPv6 address are not part of it."""
    assert host_port("[::1]:4318") == ("::1", 4318)


def test_every_setting_has_a_meaning() -> None:
    """Each setting is described, and its variable is its name in capitals."""
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        assert variable(name) == f"FARTHING_{name}".upper()


@pytest.mark.parametrize(
    ("listen", "leads_to"),
    [
        ("127.0.0.1:4319", "http://127.0.0.1:4319"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("[::1]:4319", "http://[::1]:4319"),
        ("127.0.0.1:0", ""),
    ],
)
def test_alerts_link_to_the_collectors_own_page(listen: str, leads_to: str) -> None:
    """Where the alert settings name no page, links lead to the one that the collector
    serves, as this machine sees it; to none where its port is not known before."""
    settings = load_settings(web_listen=listen, token="t")
    assert alert_policy(settings).page_url == leads_to


def test_with_any_port_links_lead_to_the_one_that_was_bound() -> None:
    """Which is known before the first alert is told."""
    settings = load_settings(web_listen="127.0.0.1:0")
    with web_listener(settings) as web:
        port = web.listener.getsockname()[1]
        policy = alert_policy(settings, page_url=web.url)
    assert policy.page_url == f"http://127.0.0.1:{port}"


def test_the_page_that_was_named_wins(tmp_path: Path) -> None:
    """A page that the alert settings name is where links lead."""
    file = tmp_path / "alerts.yaml"
    file.write_text("page_url: https://runs.example.com\n")
    settings = load_settings(alerts_file=file)
    assert alert_policy(settings).page_url == "https://runs.example.com"
