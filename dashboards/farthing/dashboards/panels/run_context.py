"""Context growth of one run."""

from farthing.dashboards.panel import Column, Panel, count

PANEL = Panel(
    title="Context per turn",
    question="How did the prompt grow, and how was it billed?",
    chart="turn_bars",
    timeless=True,
    marks="run_marks",
    note="Tokens of each model call, by bucket. A fall is a compaction; writes where"
    " reads were are a cache that was missed.",
    empty="This run has no model calls with usage.",
    columns=(
        count("turn"),
        Column(name="cache_read", unit="tokens"),
        Column(name="cache_write", unit="tokens"),
        Column(name="input", unit="tokens", title="new input"),
        Column(name="reasoning", unit="tokens"),
        Column(name="output", unit="tokens"),
    ),
    sql="""
SELECT
    turn, cache_read_tokens AS cache_read, cache_write_tokens AS cache_write, input_tokens AS input,
    reasoning_tokens AS reasoning, output_tokens AS output
FROM {{run_turns}}
ORDER BY turn
LIMIT 2000
""",
)
