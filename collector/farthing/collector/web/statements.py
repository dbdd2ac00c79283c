"""Which statements only read: decided on the engine's own syntax tree.

The engine parses the text (`parseQueryToJSON`), every node of the tree is compared
with lists of what is allowed, and what runs afterwards is the text that the engine
formats from the statement it parsed: there is one parser, so comments, case, quoting
and nesting cannot make the checked statement differ from the one that runs. Before it
runs, its handle is switched to `readonly = 1`, where the engine refuses writes and
most table functions by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from farthing.collector.web import clickhouse_allowed as allowed
from farthing.collector.web.clickhouse_errors import (
    BAD_ARGUMENTS,
    NOT_IMPLEMENTED,
    ClickHouseError,
    denied,
    no_reading,
)
from farthing.collector.web.syntax_tree import Node, nodes, take_settings

if TYPE_CHECKING:
    from farthing.collector.web.clickhouse_catalogue import Catalogue
    from farthing.collector.web.clickhouse_engine import Handle

_PARSE = """
WITH formatQuerySingleLine({sql:String}) AS text, parseQueryToJSON({sql:String}) AS tree
SELECT text, tree, translate(back, '()', '') = translate(text, '()', '') AS complete,
    formatQuerySingleLine(formatQueryFromJSON(tree)) AS back
"""
# `complete`: brackets that change nothing stand in the text and not in the tree.
_FORMAT = "SELECT formatQuerySingleLine({sql:String}) AS text"
_FROM_TREE = "SELECT formatQuerySingleLine(formatQueryFromJSON({tree:String})) AS text"

_OUR_QUERY = re.compile(r": In scope (?:WITH|SELECT) formatQuerySingleLine")

_NAME = r"(?:[A-Za-z_]\w*|`[^`\\]+`)"
_TAIL = rf"(?: FORMAT (?P<format>{_NAME}))?"
# The statements that the engine does not give a tree for, in its own formatting.
_ABOUT_A_TABLE = re.compile(
    r"(?:DESCRIBE TABLE|EXISTS (?:TABLE|VIEW|DICTIONARY)|SHOW CREATE (?:TABLE|VIEW|"
    rf"DICTIONARY)) (?:(?P<database>{_NAME})\.)?(?P<table>{_NAME}){_TAIL}"
)
_ABOUT_A_DATABASE = re.compile(
    rf"(?:EXISTS|SHOW CREATE) DATABASE (?P<database>{_NAME}){_TAIL}"
)
_OF_A_QUERY = re.compile(rf"DESCRIBE TABLE \((?P<query>.*)\){_TAIL}", re.DOTALL)
_OF_THE_ENGINE = re.compile(rf"SHOW (?:FUNCTIONS|ENGINES)(?: I?LIKE '[^'\\]*')?{_TAIL}")


@dataclass(frozen=True)
class Statement:
    """A statement that may run, as the engine formats it.

    The text is without its own FORMAT and SETTINGS clauses: these are `format` and
    `settings`. `is_select` tells that the result may be large, `reads_settings` that
    it looks at system.settings.
    """

    sql: str
    format: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    is_select: bool = False
    reads_settings: bool = False


@dataclass(frozen=True)
class Reviewer:
    """Decides for one request: its database, its parameters.

    Args:
        catalogue: What this engine has, and which of its functions are refused.
        databases: The databases that may be read, besides parts of `system`.
        database: What unqualified table names mean.
        params: Values of the query parameters, by bare name.
    """

    catalogue: Catalogue
    databases: frozenset[str]
    database: str
    params: Mapping[str, str]

    def review(self, sql: str, handle: Handle) -> Statement:
        """The statement in `sql`, if it is one and only reads.

        Raises ClickHouseError: 62 what cannot be parsed or is more than one, 164 what
        is no reading, 497 what reads something that is not served.
        """
        self._check_database(self.database)
        try:
            row = handle.rows(_PARSE, sql=sql)[0]
        except ClickHouseError as error:
            if error.code != BAD_ARGUMENTS:
                raise _without_our_query(error) from None
            # A kind of statement that the engine gives no tree for.
            return self._review_text(handle.rows(_FORMAT, sql=sql)[0]["text"], handle)
        if not row["complete"]:
            raise ClickHouseError(
                NOT_IMPLEMENTED, "This statement has a form that cannot be checked"
            )
        return self._review_tree(row["text"], json.loads(row["tree"]), handle)

    def _review_text(self, text: str, handle: Handle) -> Statement:
        if match := _OF_A_QUERY.fullmatch(text):
            if self.review(match["query"], handle).settings:
                raise no_reading("SETTINGS in a subquery")
        elif match := _ABOUT_A_TABLE.fullmatch(text):
            name = [match["database"], match["table"]]
            self._check_table([part.strip("`") for part in name if part])
        elif match := _ABOUT_A_DATABASE.fullmatch(text):
            self._check_database(match["database"].strip("`"))
        elif (match := _OF_THE_ENGINE.fullmatch(text)) is None:
            raise no_reading(" ".join(text.split()[:2]))
        return Statement(*self._without_format(text, match["format"]))

    def _review_tree(self, text: str, tree: Node, handle: Handle) -> Statement:
        self._check_statement(tree)
        settings = take_settings(tree)
        reads_settings = False
        for node in nodes(tree):
            self._check_node(node)
            reads_settings |= node.get("name_parts") == ["system", "settings"]
        if settings:
            text = handle.rows(_FROM_TREE, tree=json.dumps(tree))[0]["text"]
        text, fmt = self._without_format(text, tree.get("format_ast", {}).get("name"))
        is_select = tree["type"].startswith("Select")
        return Statement(text, fmt, settings, is_select, reads_settings)

    def _check_statement(self, tree: Node) -> None:
        kind = tree["type"]
        if kind not in allowed.STATEMENTS:
            raise no_reading(kind.removesuffix("Query"))
        if kind == "ExplainQuery":
            if tree["kind"] not in allowed.EXPLAIN_KINDS:
                raise no_reading(tree["kind"])
            self._check_statement(tree["query"])
        elif kind == "ShowTablesQuery":
            if refused := allowed.SHOW_REFUSED & tree.keys():
                raise denied(f"SHOW of {', '.join(sorted(refused))}")
            if "from" in tree:
                self._check_database(self._parts(tree["from"])[-1])
        elif kind in {"ShowColumnsQuery", "ShowIndexesQuery"}:
            self._check_table([tree[k] for k in ("database", "table") if tree.get(k)])

    def _check_node(self, node: Node) -> None:
        kind = node["type"]
        if kind not in allowed.NODE_TYPES:
            raise denied(f"{kind} in a statement")
        if "out_file" in node:
            raise no_reading("INTO OUTFILE")
        match kind:
            case "TableExpression":
                self._check_table_expression(node)
            case "Function":
                self._check_function(node)
            case "Identifier":
                self._check_identifier(node)
            case "ColumnsApplyTransformer":
                self._check_function_name(node.get("func_name", ""))

    def _check_table_expression(self, node: Node) -> None:
        if "database_and_table_name" in node:
            self._check_table(self._parts(node["database_and_table_name"]))
        name = node.get("table_function", {}).get("name")
        if name is not None and name.lower() not in allowed.TABLE_FUNCTIONS:
            raise denied(f"table function {name}")

    def _check_function(self, node: Node) -> None:
        # A table function is a Function node too; its name was checked by its parent
        # and none of those allowed is the name of a refused function.
        name = node["name"]
        self._check_function_name(name)
        arguments = node.get("arguments", {}).get("children", [])
        if name.lower() in allowed.IN_FUNCTIONS:
            for right in arguments[1:]:
                if right["type"] == "Identifier":
                    self._check_table(self._parts(right))
        if name.lower() in self.catalogue.dictionary_functions:
            self._check_dictionary(name, arguments)

    def _check_function_name(self, name: str) -> None:
        if name.lower() in self.catalogue.refused_functions:
            raise denied(f"function {name}")

    def _check_identifier(self, node: Node) -> None:
        # `arrayMap(file, paths)`: a bare name can be a function to be called.
        parts = self._parts(node)
        if len(parts) == 1:
            self._check_function_name(parts[0])

    def _check_dictionary(self, function: str, arguments: list[Node]) -> None:
        first: Node = arguments[0] if arguments else {"type": "nothing"}
        if first["type"] == "Identifier":
            name = self._parts(first)
        elif first["type"] == "Literal" and isinstance(first["value"]["value"], str):
            name = first["value"]["value"].split(".")
        else:
            raise denied(f"{function} of a dictionary that is not named in the query")
        self._check_table(name)

    def _check_table(self, parts: list[str]) -> None:
        database = parts[0] if len(parts) > 1 else self.database
        if len(parts) > 2:
            raise denied(f"table {'.'.join(parts)}")
        if database == "system":
            if parts[-1] not in allowed.SYSTEM_TABLES:
                raise denied(f"table system.{parts[-1]}")
        elif database not in self.databases | allowed.CATALOGUE_DATABASES:
            raise denied(f"database {database}")

    def _check_database(self, name: str) -> None:
        if (
            name != "system"
            and name not in self.databases | allowed.CATALOGUE_DATABASES
        ):
            raise denied(f"database {name}")

    def _parts(self, node: Node) -> list[str]:
        """The parts of a name, with identifier parameters filled in."""
        parts: list[str] = list(node.get("name_parts") or [node["name"]])
        values = [self._named(child["name"]) for child in node.get("children", [])]
        return [part or (values.pop(0) if values else "") for part in parts]

    def _named(self, parameter: str) -> str:
        value = self.params.get(parameter, "")
        if re.fullmatch(r"\w+", value) is None:
            raise ClickHouseError(
                BAD_ARGUMENTS, f"Parameter {parameter} must be a plain identifier"
            )
        return value

    def _without_format(self, text: str, name: str | None) -> tuple[str, str | None]:
        if name is None:
            return text, None
        fmt = self.catalogue.output_format(name.strip("`"))
        bare = text.removesuffix(f" FORMAT {fmt}").removesuffix(f" FORMAT `{fmt}`")
        if bare == text:
            raise ClickHouseError(
                NOT_IMPLEMENTED, "FORMAT is expected at the end of the statement"
            )
        return bare, fmt


def refuse_several(sql: str, handle: Handle) -> None:
    """Raise ClickHouseError 62 for more than one statement.

    A ClickHouse server refuses it; chdb would run one after another.
    """
    try:
        handle.rows(_FORMAT, sql=sql)
    except ClickHouseError as error:
        raise _without_our_query(error) from None


def _without_our_query(error: ClickHouseError) -> ClickHouseError:
    # The engine adds the query around the user's one.
    message = _OUR_QUERY.split(str(error), maxsplit=1)[0]
    return ClickHouseError(error.code, message, name=error.name)
