-- What each call in force costs on the terms of its way: as steps 8 and 9 of decode.sql,
-- and as `prices.price`. A call of invalid usage, or of none, has no usage rule.
terms AS (
    SELECT
        t.way AS way, t.segment AS segment, t.provider AS new_provider, t.model AS new_model, t.match AS new_match,
        t.reason AS blocked, t.row_id AS row_id, t.kind AS row_kind, t.thresholds AS thresholds, t.rates AS all_rates,
        t.search_fee AS search_fee, t.request_fee AS request_fee, t.claims_win AS claims_win, t.flags AS new_flags
    FROM (SELECT arrayJoin(CAST([{{terms}}], 'Array({{terms_type}})')) AS t)
),
levelled AS (
    SELECT
        *,
        arraySum(arraySlice(tokens, 1, 6)) AS prompt_tokens,
        arraySlice(all_rates, 9 * arrayCount(bound -> prompt_tokens > bound, thresholds) + 1, 9) AS rates
    FROM in_force
    INNER JOIN terms USING (way, segment)
),
counted AS (
    SELECT
        *,
        usage_rule != '' AS is_counted,
        arraySum((count, rate) -> if(rate > 0, toInt128(count) * rate, 0), tokens, rates)
            + toInt128(searches) * greatest(search_fee, 0) + greatest(request_fee, 0) AS femto,
        toInt128(searches) * greatest(search_fee, 0) + greatest(request_fee, 0) AS fee_femto,
        (searches > 0 AND search_fee < 0) OR arrayExists((count, rate) -> count > 0 AND rate < 0, tokens, rates) AS is_incomplete,
        (searches > 0 AND search_fee >= 0) OR request_fee >= 0
            OR arrayExists((count, rate) -> count > 0 AND rate >= 0, tokens, rates) AS has_known_part
    FROM levelled
),
judged AS (
    SELECT
        *,
        multiIf(
            cost_reason = 'unknown_operation', cost_reason,
            NOT is_counted, if(cost_reason = 'invalid_usage', cost_reason, ''),
            blocked != '', blocked,
            row_kind != 'priced', '',
            is_incomplete, 'no_rate_for_bucket',
            is_part, 'usage_incomplete',
            ''
        ) AS list_reason,
        multiIf(
            NOT is_counted AND list_reason = '', 'no_usage',
            list_reason NOT IN ('', 'no_rate_for_bucket', 'usage_incomplete'), 'unpriced',
            row_kind != 'priced', row_kind,
            list_reason = '', 'priced',
            has_known_part, 'partial',
            'unpriced'
        ) AS list_state,
        claims_win AND ifNull(claim_usd, 0) > 0 AND dialect NOT IN {{estimating}} AND cost_reason != 'unknown_operation' AS claim_wins
    FROM counted
),
priced AS (
    SELECT
        *,
        if(claim_wins, 'priced', list_state) AS new_state,
        if(claim_wins, '', list_reason) AS new_reason,
        if(is_counted AND list_reason IN ('', 'no_rate_for_bucket', 'usage_incomplete'), row_id, 0) AS new_row,
        multiIf(
            claim_wins, claim_usd,
            list_state IN ('priced', 'partial'), reinterpret(femto, 'Decimal(38, 15)'),
            list_state IN ('free', 'flat_rate'), toDecimal128(0, 15),
            NULL
        ) AS new_usd,
        if(list_state IN ('priced', 'partial') AND NOT claim_wins, reinterpret(fee_femto, 'Decimal(38, 15)'), NULL) AS new_fee_usd
    FROM judged
),
changed AS (
    SELECT * FROM priced
    WHERE new_state != cost_state OR new_row != price_row OR NOT (new_usd <=> old_usd)
)
