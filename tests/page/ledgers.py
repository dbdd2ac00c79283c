"""Small ledgers of their own for tests that change them or need what the demo lacks."""

from __future__ import annotations

import secrets
from importlib.resources import files
from typing import Final

from farthing.collector.store.client import Store
from farthing.collector.store.ledger import Ledger
from farthing.collector.store.text import fill
from farthing.economics.prices import load_catalogue
from tests.demo_week import NOW
from tests.store.otlp import Told, request

_END_S: Final = int(NOW.timestamp()) - 3600


def call(
    *, run: str, tokens: int = 1000, tags: str | None = None, model: str = "gpt-5"
) -> Told:
    """A model call of a run, an hour before NOW; `tags` is what all its tags say."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.response.model": model,
        "gen_ai.usage.input_tokens": tokens,
        "gen_ai.usage.output_tokens": 100,
        "farthing.task.id": run,
    }
    told = attributes | _tagged(tags)
    return Told(told, end_s=_END_S, is_error=tags is not None)


def tool_call(*, run: str, tags: str, tool: str) -> Told:
    """A call of a tool that failed, in the same run."""
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": tool,
        "error.type": tags,
        "farthing.task.id": run,
    }
    return Told(attributes | _tagged(tags), name=tool, end_s=_END_S, is_error=True)


def _tagged(tags: str | None) -> dict[str, str]:
    if tags is None:
        return {"farthing.task.type": "review", "farthing.business_unit": "platform"}
    names = ("task.type", "business_unit", "team", "user", "step.name")
    others = ("gen_ai.agent.name", "service.name", "deployment.environment.name")
    return {f"farthing.{name}": tags for name in names} | dict.fromkeys(others, tags)


def loaded(store: Store, *spans: Told) -> Ledger:
    """The ledger of a store, open, with some more spans in it."""
    ledger = Ledger(store, load_catalogue())
    ledger.open(retention_days=None)
    ledger.load(secrets.token_hex(4), [request(spans)])
    return ledger


def fill_many_runs(store: Store, runs: int) -> None:
    """A ledger with so many runs of one call each, made by the engine."""
    loaded(store, call(run="the-first"))
    sql = (files(__package__) / "many_runs.sql").read_text(encoding="utf-8")
    store.command(fill(sql, {"runs": str(runs - 1), "until_s": str(_END_S)}))
