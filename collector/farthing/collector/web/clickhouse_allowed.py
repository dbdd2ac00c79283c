"""What a read-only statement may use. Whatever is not named here is refused.

Names are compared in lower case. The lists are data for `statements.py`; the
reasons are in docs/query.md.
"""

from __future__ import annotations

TABLE_FUNCTIONS = frozenset(
    {
        "generaterandom",
        "generateseries",
        "generate_series",
        "null",
        "numbers",
        "numbers_mt",
        "primes",
        "sqlstandardvalues",
        "values",
        "view",
    }
)

SYSTEM_TABLES = frozenset(
    {
        "aggregate_function_combinators",
        "asynchronous_metrics",
        "collations",
        "columns",
        "completions",
        "data_skipping_indices",
        "data_type_families",
        "database_engines",
        "databases",
        "documentation",
        "events",
        "formats",
        "functions",
        "keywords",
        "merge_tree_settings",
        "merges",
        "metrics",
        "mutations",
        "numbers",
        "numbers_mt",
        "one",
        "parts",
        "parts_columns",
        "projections",
        "settings",
        "table_engines",
        "table_functions",
        "tables",
        "time_zones",
        "unicode",
        "view_refreshes",
        "zeros",
        "zeros_mt",
    }
)

# Standard views over system.tables and system.columns, which tools look into.
CATALOGUE_DATABASES = frozenset({"information_schema", "INFORMATION_SCHEMA"})

# `system.functions.categories`. Not among them: AI (calls a model over the network),
# Introspection (reads the process), Machine Learning and Embedded Dictionary (read
# files), Internal (the planner's own), and Other, whose members are named below.
FUNCTION_CATEGORIES = frozenset(
    {
        "Arithmetic",
        "Arrays",
        "Bit",
        "Bitmap",
        "Comparison",
        "Conditional",
        "Dates and Times",
        "Dictionary",
        "Distance",
        "Encoding",
        "Encryption",
        "Financial",
        "Geo",
        "Geo Polygon",
        "Hash",
        "IP Address",
        "JSON",
        "Logical",
        "Map",
        "Mathematical",
        "Null",
        "NumericIndexedVector",
        "QBit",
        "Random Number",
        "Rounding",
        "String",
        "String Replacement",
        "String Search",
        "String Splitting",
        "Time Window",
        "Tuple",
        "Type Conversion",
        "URL",
        "UUID",
    }
)

# Of the categories Other and Internal: what depends on its arguments alone, and what
# drivers ask of a server when they connect.
FUNCTIONS = frozenset(
    {
        "_cast",
        "bar",
        "blocknumber",
        "blocksize",
        "buildid",
        "bytesize",
        "casewithexpression",
        "connectionid",
        "countdigits",
        "currentdatabase",
        "currentqueryid",
        "currentroles",
        "currentschemas",
        "currentuser",
        "defaultvalueofargumenttype",
        "defaultvalueoftypename",
        "digits",
        "displayname",
        "dumpcolumnstructure",
        "enabledroles",
        "errorcodetoname",
        "finalizeaggregation",
        "formatquery",
        "formatqueryornull",
        "formatquerysingleline",
        "formatquerysinglelineornull",
        "formatreadabledecimalsize",
        "formatreadablequantity",
        "formatreadablesize",
        "formatreadabletimedelta",
        "getsetting",
        "getsettingordefault",
        "getsizeofenumtype",
        "getsubcolumn",
        "globalvariable",
        "hostname",
        "identity",
        "ignore",
        "indexhint",
        "initializeaggregation",
        "initialqueryid",
        "isconstant",
        "isdecimaloverflow",
        "lowcardinalityindices",
        "lowcardinalitykeys",
        "materialize",
        "minsamplesizecontinuous",
        "minsamplesizeconversion",
        "neighbor",
        "nested",
        "normalizedqueryhash",
        "normalizequery",
        "normalizequerykeepnames",
        "parsereadablesize",
        "parsereadablesizeornull",
        "parsereadablesizeorzero",
        "parsetimedelta",
        "pgtableisvisible",
        "queryid",
        "revision",
        "rownumberinallblocks",
        "rownumberinblock",
        "runningaccumulate",
        "runningdifference",
        "runningdifferencestartingwithfirstvalue",
        "throwif",
        "tocolumntypename",
        "totypename",
        "transform",
        "uptime",
        "variantelement",
        "varianttype",
        "version",
        "visiblewidth",
    }
)

# The function forms of IN, whose right side may name a table.
IN_FUNCTIONS = frozenset(
    f"{scope}{negation}{null}in{ignore}"
    for scope in ("", "global")
    for negation in ("", "not")
    for null in ("", "null")
    for ignore in ("", "ignoreset")
)

# Kinds of syntax node in `parseQueryToJSON` that only read. A kind that a newer engine
# adds is refused until somebody has looked at it.
NODE_TYPES = frozenset(
    {
        "ArrayJoin",
        "Asterisk",
        "ColumnsApplyTransformer",
        "ColumnsExceptTransformer",
        "ColumnsListMatcher",
        "ColumnsRegexpMatcher",
        "ColumnsReplaceTransformer",
        "ColumnsReplaceTransformerReplacement",
        "ColumnsTransformerList",
        "DataType",
        "ExplainQuery",
        "ExpressionList",
        "Function",
        "Identifier",
        "InterpolateElement",
        "Literal",
        "OrderByElement",
        "QualifiedAsterisk",
        "QualifiedColumnsListMatcher",
        "QualifiedColumnsRegexpMatcher",
        "QueryParameter",
        "SampleRatio",
        "SelectIntersectExceptQuery",
        "SelectQuery",
        "SelectWithUnionQuery",
        "SetQuery",
        "ShowColumnsQuery",
        "ShowIndexesQuery",
        "ShowTablesQuery",
        "Subquery",
        "TableExpression",
        "TableIdentifier",
        "TableJoin",
        "TablesInSelectQuery",
        "TablesInSelectQueryElement",
        "WindowDefinition",
        "WindowListElement",
        "WithElement",
    }
)

STATEMENTS = frozenset(
    {
        "ExplainQuery",
        "SelectIntersectExceptQuery",
        "SelectWithUnionQuery",
        "ShowColumnsQuery",
        "ShowIndexesQuery",
        "ShowTablesQuery",
    }
)

EXPLAIN_KINDS = frozenset(
    {
        "EXPLAIN",
        "EXPLAIN AST",
        "EXPLAIN ESTIMATE",
        "EXPLAIN PIPELINE",
        "EXPLAIN QUERY TREE",
        "EXPLAIN SYNTAX",
    }
)

# SHOW is one kind of node with a flag for what is shown; these flags are refused.
SHOW_REFUSED = frozenset({"cluster", "clusters", "caches", "merges", "temporary"})
