"""What happened in a run, by turn."""

from farthing.dashboards.panel import Panel, count, text, usd

PANEL = Panel(
    title="What happened",
    question="At which turns was context compacted, the cache missed, or a loop begun?",
    chart="table",
    timeless=True,
    note="Compaction: the agent's prompt shrank to less than 70 of 100. Cache missed: its"
    " last call had 1,000 tokens in the cache or more, and this one read less than a tenth of"
    " them. Of loops, the turns that their cost is of.",
    empty="No compaction, no missed cache, no loop.",
    columns=(
        count("turn"),
        count("until_turn", "until turn"),
        text("what"),
        text("agent"),
        text("detail"),
        usd(),
    ),
    sql="""
WITH
    turns AS (SELECT * FROM {{run_turns}}),
    pairs AS (
        SELECT *,
            lagInFrame(prompt_tokens) OVER by_agent AS before_prompt,
            lagInFrame(cache_read_tokens + cache_write_tokens) OVER by_agent AS before_cached,
            lagInFrame(began) OVER by_agent AS before_began
        FROM turns
        WINDOW by_agent AS (PARTITION BY agent, parent_span_id ORDER BY turn ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    )
SELECT turn, until_turn, what, agent, detail, cost_usd FROM (
    SELECT turn, turn AS until_turn, if(is_compacted, 'compaction', 'cache missed') AS what, agent,
        if(is_compacted,
            concat(toString(before_prompt), ' to ', toString(prompt_tokens), ' tokens'),
            concat(toString(before_cached), ' cached tokens, ', toString(dateDiff('second', before_began, began)), ' s later')
        ) AS detail, cost_usd
    FROM (SELECT *, prompt_tokens < 0.7 * before_prompt AS is_compacted FROM pairs)
    WHERE is_compacted OR (before_cached >= 1000 AND cache_read_tokens < 0.1 * before_cached)
    UNION ALL
    WITH arraySort(groupArrayIf(toUInt64(t.turn), t.began > f.first_time AND (f.kind = 'stalled' OR t.agent = f.agent))) AS later
    SELECT
        if(empty(later), toUInt64(count()), later[1]) AS turn,
        if(empty(later), turn, later[greatest(1, least(any(f.calls), length(later)))]) AS until_turn,
        replaceAll(f.kind, '_', ' ') AS what, f.agent AS agent, concat(f.level, ': ', f.why) AS detail, any(f.cost_usd) AS cost_usd
    FROM findings AS f FINAL CROSS JOIN turns AS t
    WHERE f.run_id IN (${run:singlequote}) AND f.level != 'withdrawn'
    GROUP BY f.kind, f.agent, f.episode, f.level, f.why
)
ORDER BY turn, what
LIMIT 200
""",
)
