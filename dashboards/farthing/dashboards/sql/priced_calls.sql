-- Priced calls of whole hours, by agent and model, with what their cached tokens would have cost as
-- plain input, by the row of the price list that each was priced with. NULL where the row has no
-- such rate.
(
    SELECT
        c.agent AS agent, p.model AS model, c.calls AS calls, c.cost_usd AS cost_usd, c.input AS input_tokens, c.cache_read AS cache_read_tokens,
        c.cache_write_5m + c.cache_write_1h AS cache_write_tokens,
        9 * c.level AS before,
        p.rates[before + 1] AS input_rate,
        if(c.cache_read != 0 AND (input_rate < 0 OR p.rates[before + 2] < 0), NULL, toInt128(c.cache_read) * (p.rates[before + 1] - p.rates[before + 2])) AS saved_femto,
        if(c.cache_write_5m != 0 AND (input_rate < 0 OR p.rates[before + 3] < 0) OR c.cache_write_1h != 0 AND (input_rate < 0 OR p.rates[before + 4] < 0), NULL,
            toInt128(c.cache_write_5m) * (p.rates[before + 3] - input_rate)
            + toInt128(c.cache_write_1h) * (p.rates[before + 4] - input_rate)) AS paid_femto,
        saved_femto IS NULL OR paid_femto IS NULL AS is_unknown
    FROM (
        SELECT
            t.agent AS agent, t.price_row AS price_row, t.price_level AS level,
            sum(t.calls) AS calls, sum(t.cost_usd) AS cost_usd, sum(t.input_tokens) AS input, sum(t.cache_read_tokens) AS cache_read,
            sum(t.cache_write_5m_tokens) AS cache_write_5m, sum(t.cache_write_1h_tokens) AS cache_write_1h
        FROM spend_hourly AS t
        PREWHERE t.price_row != 0
        WHERE {{hours}}
        GROUP BY agent, price_row, level
    ) AS c
    INNER JOIN (SELECT row_id, any(model) AS model, any(rates) AS rates FROM prices GROUP BY row_id) AS p ON p.row_id = c.price_row
)
