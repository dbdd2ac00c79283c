-- What confirmed episodes cost since they began, per run: of two at the same moment the dearer one counts.
(
    SELECT
        run_id, max(at_time) AS at_time, max(agent_cost_usd) AS cost_usd, max(agent_unpriced_calls) AS unpriced_calls,
        argMax(pattern, agent_cost_usd) AS pattern, sum(agent_episodes) AS episodes, max(agent_steps) AS steps
    FROM (
        SELECT
            t.run_id AS run_id, t.agent, t.kind, max(t.at_time) AS at_time, any(t.pattern) AS pattern, count() AS agent_episodes,
            max(t.steps) AS agent_steps, sum(t.cost_usd) AS agent_cost_usd, sum(t.unpriced_calls) AS agent_unpriced_calls
        FROM findings AS t FINAL
        WHERE t.level = 'confirmed' AND $__timeFilter(t.at_time) AND {{who_acts}}
        GROUP BY t.run_id, t.agent, t.kind
    )
    GROUP BY run_id
)
