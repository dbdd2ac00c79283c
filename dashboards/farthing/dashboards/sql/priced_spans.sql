-- Calls with what their cached tokens would have cost as plain input, by the row of the
-- price list that each was priced with. NULL where the row has no such rate.
(
    SELECT
        t.time AS time, t.agent AS agent, t.model AS model, t.task_type AS task_type, t.cost_usd AS cost_usd,
        t.input_tokens AS input_tokens, t.cache_read_tokens AS cache_read_tokens,
        t.cache_write_5m_tokens AS cache_write_5m_tokens, t.cache_write_1h_tokens AS cache_write_1h_tokens,
        9 * arrayCount(above -> abs({{prompt}}) > above, p.thresholds) AS level,
        p.rates[level + 1] AS input_rate,
        if(input_rate < 0 OR p.rates[level + 2] < 0, NULL, toInt128(t.cache_read_tokens) * (input_rate - p.rates[level + 2])) AS saved_femto,
        if(input_rate < 0 OR (t.cache_write_5m_tokens != 0 AND p.rates[level + 3] < 0) OR (t.cache_write_1h_tokens != 0 AND p.rates[level + 4] < 0), NULL,
            toInt128(t.cache_write_5m_tokens) * (p.rates[level + 3] - input_rate)
            + toInt128(t.cache_write_1h_tokens) * (p.rates[level + 4] - input_rate)) AS paid_femto
    FROM spans AS t
    INNER JOIN (SELECT row_id, any(thresholds) AS thresholds, any(rates) AS rates FROM prices GROUP BY row_id) AS p ON p.row_id = t.price_row
    WHERE t.price_row != 0 AND {{in_time}}
)
