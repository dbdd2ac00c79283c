"""The agent's variables: each reads, and a wrong value harms nobody."""

from __future__ import annotations

import logging

import pytest

from farthing.instrumentation import settings
from farthing.instrumentation.fingerprints.key import KEY_VARIABLE
from farthing.instrumentation.guard.settings import (
    FIELDS,
    FILE_VARIABLE,
    SHARED_VARIABLE,
    UNKNOWN_VARIABLE,
)
from farthing.instrumentation.observing import PRICES_VARIABLE, SWITCH_VARIABLE
from farthing.instrumentation.settings import Settings
from tests.instrumentation.sink import agent, sink


def test_nothing_is_needed() -> None:
    """An empty environment is a good one."""
    assert settings.read({}) == Settings()


def test_what_is_set_is_read() -> None:
    """Tags, times, hosts and switches arrive as what they are."""
    found = settings.read(
        {
            "FARTHING_TASK_TYPE": " code-review ",
            "FARTHING_USER": "",
            "FARTHING_FLUSH_TIMEOUT_SECONDS": "2.5",
            "FARTHING_PROPAGATE_TO": "API.example.com, *.example.net,",
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "openai, mcp",
            "OTEL_SDK_DISABLED": "True",
        }
    )
    assert found.tags == {"farthing.task.type": "code-review"}
    assert found.flush_timeout_s == 2.5
    assert found.propagate_to == ("api.example.com", "*.example.net")
    assert found.disabled == {"openai", "mcp"}
    assert found.is_disabled


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FARTHING_TASK_TYPE", "x" * 257),
        ("FARTHING_TEAM", "a\x1bb"),
        ("FARTHING_FLUSH_TIMEOUT_SECONDS", "soon"),
        ("FARTHING_FLUSH_TIMEOUT_SECONDS", "-1"),
        ("FARTHING_FLUSH_TIMEOUT_SECONDS", "nan"),
        ("FARTHING_FLUSH_TIMEOUT_SECONDS", "61"),
        ("FARTHING_PROPAGATE_TO", "https://example.com"),
    ],
)
def test_a_wrong_value_is_one_line_and_the_default_holds(
    name: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The line names the variable and what it may be."""
    with caplog.at_level(logging.WARNING):
        assert settings.read({name: value}) == Settings()
    [record] = caplog.records
    assert record.getMessage().startswith(f"farthing: {name} must be ")


def test_a_misspelt_variable_is_named_with_what_it_is_meant_to_be() -> None:
    """Whichever part reads the right one; the collector's own are left alone, and so is
    what is spelt right."""
    found = settings.misspelt(
        {
            "FARTHING_TASK_TYP": "review",
            "FARTHING_BUDGET_USB": "1",
            "FARTHING_FINGERPRINT": "off",
            "FARTHING_BUGDETS": "collector",
            "FARTHING_BUDGET_STEPS": "3",
            "FARTHING_DATA_DIR": "/data",
            "FARTHING_STORE": "chdb:///data",
            "FARTHING_TOKEN": "t",
        }
    )
    assert found == {
        "FARTHING_BUDGET_USB": "FARTHING_BUDGET_USD",
        "FARTHING_BUGDETS": "FARTHING_BUDGETS",
        "FARTHING_FINGERPRINT": "FARTHING_FINGERPRINTS",
        "FARTHING_TASK_TYP": "FARTHING_TASK_TYPE",
    }


def test_all_variables_of_the_guard_are_known() -> None:
    """None of them is taken for a misspelt one."""
    shared = {SHARED_VARIABLE, UNKNOWN_VARIABLE}
    others = {FILE_VARIABLE, PRICES_VARIABLE, SWITCH_VARIABLE, KEY_VARIABLE}
    named = {*FIELDS.values(), *shared, *others}
    assert settings.misspelt(dict.fromkeys(named, "1")) == {}
    cut = {name[:-1]: "1" for name in named}
    assert settings.misspelt(cut).keys() >= cut.keys() - named - {"FARTHING_BUDGET"}


def test_an_agent_is_told_when_it_starts() -> None:
    """One line on standard error, and the agent runs."""
    with sink() as found:
        done = agent(found.url, "print('ran')", FARTHING_TASK_TYP="review")
    assert done.stdout == "ran\n"
    assert "FARTHING_TASK_TYP means nothing: is it FARTHING_TASK_TYPE?" in done.stderr
    assert done.stderr.count("means nothing") == 1


def test_the_distro_is_chosen_unless_there_is_a_third(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Beside OpenTelemetry's plain distro ours is used; beside a vendor's, and where
    the user has chosen, nothing is decided for the user."""
    monkeypatch.delenv(settings.DISTRO, raising=False)
    settings.choose_distro(frozenset({"farthing", "distro", "vendor"}))
    assert settings.DISTRO not in settings.environment()
    settings.choose_distro(frozenset({"farthing", "distro"}))
    assert settings.environment()[settings.DISTRO] == "farthing"
    monkeypatch.setenv(settings.DISTRO, "distro")
    settings.choose_distro(frozenset({"farthing", "distro"}))
    assert settings.environment()[settings.DISTRO] == "distro"


def test_the_exporters_variables_are_read_as_it_reads_them() -> None:
    """An endpoint is a base, one for traces a whole address; values of headers are
    percent-encoded."""
    base = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/"}
    assert settings.exporting(base).url == "http://c:4318/v1/traces"
    found = settings.exporting(
        {
            **base,
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t/x",
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20k, a=b",
        }
    )
    assert found.url == "http://t/x"
    assert found.headers == {"authorization": "Bearer k", "a": "b"}
