-- Where a spool batch is inserted: nothing is kept here, the view reads it and writes
-- ledger entries. The nested type mirrors request.proto. Names repeat, so they are
-- dictionary-encoded as they are parsed: what depends on a name alone is then computed
-- once per block. An absent number must not look like 0, hence Nullable.
CREATE TABLE {{intake}} {{on_cluster}} (
    resource_spans Array(Tuple(
        resource Tuple(attributes Array(Tuple(key String, value Tuple(string_value String)))),
        scope_spans Array(Tuple(
            scope Tuple(name LowCardinality(String), version LowCardinality(String)),
            spans Array(Tuple(
                trace_id String, span_id String, parent_span_id String, name String,
                kind Int32, start_time_unix_nano UInt64, end_time_unix_nano UInt64,
                attributes Array(Tuple(key LowCardinality(String), value Tuple(
                    string_value String, bool_value Nullable(Bool),
                    int_value Nullable(Int64), double_value Nullable(Float64),
                    array_value Tuple(values Array(Tuple(string_value String)))))),
                status Tuple(code Int32)
            ))
        ))
    ))
) ENGINE = Null;

CREATE MATERIALIZED VIEW {{intake}}_view {{on_cluster}} TO spans AS
{{decode}};
