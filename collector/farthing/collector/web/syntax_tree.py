"""Walking the syntax trees that the engine gives as JSON (`parseQueryToJSON`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from farthing.collector.web.clickhouse_errors import (
    BAD_ARGUMENTS,
    ClickHouseError,
    no_reading,
)

Node = dict[str, Any]

_INNER = frozenset({"Subquery", "TableExpression", "WithElement"})


def nodes(tree: Any) -> Iterator[Node]:
    """Every syntax node under `tree`, itself included."""
    pending = [tree]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, dict):
            pending.extend(item.values())
            if isinstance(item.get("type"), str):
                yield item


def take_settings(tree: Node) -> dict[str, str]:
    """Remove the SETTINGS clauses of the statement itself and give their settings.

    Raises ClickHouseError 164 for a clause in a subquery: the engine would apply it
    without comparing it with readonly.
    """
    taken: dict[str, str] = {}
    explain = tree if tree["type"] == "ExplainQuery" else None
    outer = {id(node) for node in _outer_queries(tree)}
    for node in list(nodes(tree)):
        for key in ("settings", "settings_ast"):
            clause = node.get(key)
            if not isinstance(clause, dict) or (node is explain and key == "settings"):
                continue
            if id(node) not in outer:
                raise no_reading("SETTINGS in a subquery")
            del node[key]
            taken |= {c["name"]: _text(c["value"]) for c in clause["changes"]}
    return taken


def _outer_queries(node: Any) -> Iterator[Node]:
    if isinstance(node, list):
        for item in node:
            yield from _outer_queries(item)
    elif isinstance(node, dict) and node.get("type") not in _INNER:
        yield node
        for item in node.values():
            yield from _outer_queries(item)


def _text(value: Any) -> str:
    if not isinstance(value, dict) or not isinstance(
        value.get("value"), str | int | float
    ):
        raise ClickHouseError(BAD_ARGUMENTS, "A setting must be a number or a text")
    scalar = value["value"]
    return str(int(scalar)) if isinstance(scalar, bool) else str(scalar)
