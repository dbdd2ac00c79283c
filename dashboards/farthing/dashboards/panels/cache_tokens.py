"""Prompt tokens by how they were billed."""

from farthing.dashboards.panel import SERIES, TIME, Column, Panel

PANEL = Panel(
    title="Prompt tokens by bucket",
    question="How much of the prompt is read, written or new?",
    chart="time_bars",
    hourly=True,
    columns=(TIME, SERIES, Column(name="tokens", unit="tokens")),
    sql="""
SELECT time, bucket.1 AS series, bucket.2 AS tokens
FROM (
    SELECT
        $__timeInterval(t.hour) AS time,
        [
            ('cache read', sum(t.cache_read_tokens + t.cache_audio_tokens)),
            ('cache write', sum(t.cache_write_5m_tokens + t.cache_write_1h_tokens)),
            ('new input', sum(t.input_tokens + t.input_audio_tokens))
        ] AS buckets
    FROM spend_hourly AS t
    WHERE {{hours}}
    GROUP BY time
)
ARRAY JOIN buckets AS bucket
ORDER BY time, series
""",
)
