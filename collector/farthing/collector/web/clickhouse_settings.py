"""Which settings a read-only request may change, and how far.

What is not named here is refused with code 164, the one that ClickHouse itself has
for a setting that readonly forbids.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from farthing.collector.web.clickhouse_errors import (
    BAD_ARGUMENTS,
    READONLY,
    ClickHouseError,
)

if TYPE_CHECKING:
    from farthing.collector.web.clickhouse_engine import QueryLimits

# They shape the answer or how it is found, and reach neither a file nor the network.
_ALLOWED = frozenset(
    {
        "aggregate_functions_null_for_empty",
        "any_join_distinct_right_table_keys",
        "bool_false_representation",
        "bool_true_representation",
        "cast_keep_nullable",
        "cast_string_to_dynamic_use_inference",
        "count_distinct_implementation",
        "date_time_input_format",
        "date_time_output_format",
        "distinct_overflow_mode",
        "enable_positional_arguments",
        "extremes",
        "final",
        "format_csv_delimiter",
        "format_csv_null_representation",
        "format_tsv_null_representation",
        "group_by_two_level_threshold",
        "group_by_two_level_threshold_bytes",
        "group_by_use_nulls",
        "join_use_nulls",
        "limit",
        "log_comment",
        "low_cardinality_allow_in_native_format",
        "max_block_size",
        "offset",
        "optimize_functions_to_subcolumns",
        "optimize_read_in_order",
        "prefer_column_name_to_alias",
        "session_timezone",
        "totals_mode",
        "transform_null_in",
        "union_default_mode",
    }
)
_ALLOWED_PREFIX = "output_format_"
# It writes a generated schema into a file.
_REFUSED = "output_format_schema"

# What the HTTP layer of ClickHouse reads, of which some are settings by name too.
_IGNORED = frozenset(
    {
        "add_http_cors_header",
        "cancel_http_readonly_queries_on_client_close",
        "http_headers_progress_interval_ms",
        "http_response_buffer_size",
        "http_wait_end_of_query",
        "http_write_exception_in_output_format",
        "http_zlib_compression_level",
        "log_queries",
        "network_compression_method",
        "send_progress_in_http_headers",
        "send_timeout",
        "receive_timeout",
        "use_client_time_zone",
    }
)


_FIXED = {
    "result_overflow_mode": "throw",
    "timeout_overflow_mode": "throw",
    # Parallel formatting holds many blocks' text in memory, which no limit counts.
    "output_format_parallel_formatting": "0",
    "output_format_parquet_parallel_encoding": "0",
    "output_format_arrow_parallel_encoding": "0",
    # Large sorts and groupings spill to the disk that the ledger needs.
    "max_temporary_data_on_disk_size_for_query": str(1024**3),
}


def limited(asked: Mapping[str, str], limits: QueryLimits) -> dict[str, str]:
    """The settings of a read-only statement for which `asked` were asked.

    Raises ClickHouseError 164 for a setting that may not be changed, 36 for a limit
    that is no number.
    """
    defaults = {name: str(cap) for name, cap in _caps(limits).items()}
    return defaults | _permitted(asked, limits) | _FIXED


def _permitted(asked: Mapping[str, str], limits: QueryLimits) -> dict[str, str]:
    """The settings of `asked` that apply, limits lowered but never raised."""
    caps = _caps(limits)
    kept: dict[str, str] = {}
    for name, value in asked.items():
        if name in caps:
            kept[name] = _lowered(name, value, caps[name])
        elif _is_allowed(name):
            kept[name] = value
        elif not _may_be_dropped(name, value):
            raise ClickHouseError(
                READONLY,
                f"Cannot modify '{name}' setting in readonly mode: docs/query.md "
                "lists those that a query may set",
            )
    return kept


def _caps(limits: QueryLimits) -> dict[str, int]:
    return {
        "max_threads": limits.max_threads,
        "max_execution_time": limits.max_execution_time_s,
        "max_memory_usage": limits.max_memory_bytes,
        "max_result_rows": limits.max_result_rows,
        "max_result_bytes": limits.max_result_bytes,
    }


def _is_allowed(name: str) -> bool:
    if name == _REFUSED:
        return False
    return name in _ALLOWED or name.startswith(_ALLOWED_PREFIX)


def _may_be_dropped(name: str, value: str) -> bool:
    # Drivers ask for readonly to be safe; they are, so only switching it off is told.
    return name in _IGNORED or (name == "readonly" and value in {"1", "2"})


def _lowered(name: str, value: str, cap: int) -> str:
    try:
        asked = float(value)
    except ValueError:
        raise ClickHouseError(
            BAD_ARGUMENTS, f"Setting '{name}' must be a number, not {value!r}"
        ) from None
    # Zero means no limit to ClickHouse; comparisons with a NaN are false.
    return value if 0 < asked <= cap else str(cap)
