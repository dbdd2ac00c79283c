"""Tools: calls, errors, duration, size of results."""

from farthing.dashboards.panel import Column, Panel, Steps, count, text

PANEL = Panel(
    title="Tools",
    question="Which tools are called, how often do they fail, how long do they take?",
    chart="table",
    note="Result sizes are in characters, from the fingerprints of Farthing's"
    " instrumentation; without it they are not known.",
    empty="No tool call in this range.",
    columns=(
        text("tool"),
        Column(name="calls", unit="count", bar=True),
        count("runs"),
        Column(name="error_rate", unit="share", title="errors", steps=Steps(0.02, 0.1)),
        Column(name="p50_s", unit="seconds", title="p50"),
        Column(name="p95_s", unit="seconds", title="p95"),
        Column(name="p50_chars", unit="count", title="characters of a result, p50"),
        Column(name="p95_chars", unit="count", title="p95"),
    ),
    sql="""
WITH toUInt64OrNull(t.attributes['farthing.fingerprint.result_len']) AS chars
SELECT
    if(t.tool_name = '', '(none)', t.tool_name) AS tool,
    count() AS calls,
    uniqExact(t.run_id) AS runs,
    countIf(t.error_type != '' OR t.attributes['farthing.fingerprint.error'] = 'true') / calls AS error_rate,
    quantileTDigest(0.5)(t.duration_us) / 1000000 AS p50_s,
    quantileTDigest(0.95)(t.duration_us) / 1000000 AS p95_s,
    if(count(chars) = 0, NULL, toUInt64(quantileTDigestIf(0.5)(ifNull(chars, 0), chars IS NOT NULL))) AS p50_chars,
    if(count(chars) = 0, NULL, toUInt64(quantileTDigestIf(0.95)(ifNull(chars, 0), chars IS NOT NULL))) AS p95_chars
FROM spans AS t
WHERE {{tool_spans}}
GROUP BY t.tool_name
ORDER BY calls DESC, tool
LIMIT 100
""",
)
