-- What episodes without progress cost since they began, of those that were confirmed in a
-- range of time. Of two in one run at the same moment the dearer one counts.
SELECT
    count() AS runs,
    sum(run_episodes) AS episodes,
    sum(run_cost_usd) AS cost_usd,
    sum(run_unpriced_calls) AS unpriced_calls
FROM (
    SELECT run_id, sum(episodes) AS run_episodes, max(cost_usd) AS run_cost_usd, max(unpriced_calls) AS run_unpriced_calls
    FROM (
        SELECT run_id, agent, kind, count() AS episodes, sum(f.cost_usd) AS cost_usd, sum(f.unpriced_calls) AS unpriced_calls
        FROM findings AS f FINAL
        WHERE level = 'confirmed' AND at_time >= toDateTime({since_s:Int64}, 'UTC') AND at_time < toDateTime({until_s:Int64}, 'UTC')
        GROUP BY run_id, agent, kind
    )
    GROUP BY run_id
)
