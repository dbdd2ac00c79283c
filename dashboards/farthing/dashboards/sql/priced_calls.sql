-- Calls that cached, by agent and model, with what their cached tokens would have cost as plain
-- input, by the row of the price list that each was priced with. NULL where the row has no such
-- rate. Calls of one row, level and kind of caching are added up before they are priced, by
-- keys of a fixed width, which takes two thirds of the time.
(
    WITH (SELECT arraySort(arrayDistinct(arrayConcat([toInt64(0)], groupUniqArrayArray(thresholds)))) FROM prices) AS bounds
    SELECT
        c.agent AS agent, p.model AS model, c.entries AS entries, c.cost_usd AS cost_usd, c.input AS input_tokens, c.cache_read AS cache_read_tokens,
        c.cache_write_5m + c.cache_write_1h AS cache_write_tokens,
        9 * arrayCount(bound -> bound <= c.above, p.thresholds) AS level,
        p.rates[level + 1] AS input_rate,
        if(input_rate < 0 OR p.rates[level + 2] < 0, NULL, toInt128(c.cache_read) * (input_rate - p.rates[level + 2])) AS saved_femto,
        if(input_rate < 0 OR (c.writes_5m AND p.rates[level + 3] < 0) OR (c.writes_1h AND p.rates[level + 4] < 0), NULL,
            toInt128(c.cache_write_5m) * (p.rates[level + 3] - input_rate)
            + toInt128(c.cache_write_1h) * (p.rates[level + 4] - input_rate)) AS paid_femto,
        (saved_femto IS NULL AND c.reads) OR paid_femto IS NULL AS is_unknown
    FROM (
        SELECT
            any(t.agent) AS agent, t.price_row AS price_row,
            roundDown(abs({{prompt}}) - 1, bounds) AS above,
            t.cache_read_tokens != 0 AS reads, t.cache_write_5m_tokens != 0 AS writes_5m, t.cache_write_1h_tokens != 0 AS writes_1h,
            count() AS entries, sum(t.cost_usd) AS cost_usd, sum(t.input_tokens) AS input, sum(t.cache_read_tokens) AS cache_read,
            sum(t.cache_write_5m_tokens) AS cache_write_5m, sum(t.cache_write_1h_tokens) AS cache_write_1h
        FROM spans AS t
        PREWHERE t.price_row != 0
        WHERE {{in_time}}
        GROUP BY cityHash64(t.agent), price_row, above, reads, writes_5m, writes_1h
    ) AS c
    INNER JOIN (SELECT row_id, any(model) AS model, any(thresholds) AS thresholds, any(rates) AS rates FROM prices GROUP BY row_id) AS p ON p.row_id = c.price_row
)
