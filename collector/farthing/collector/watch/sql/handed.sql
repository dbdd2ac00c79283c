-- What the tool results may repeat that model calls tell of, in numbers, as in keys.sql, by
-- run. In which order they came is not told.
WITH
    attributes AS a,
    cityHash64(agent) AS whose,
    splitByChar(',', a['farthing.tool_results.name']) AS names,
    (field -> arrayResize(splitByChar(',', a[concat('farthing.tool_results.', field)]), length(names), '')) AS told,
    arrayMap(chars -> toUInt64OrZero(chars) >= {{informative_chars}}, told('result_len')) AS is_long
SELECT
    run_id,
    arrayFilter(key -> key != 0, groupArrayArray(arrayConcat(
        arrayMap((name, args) -> ((args != '') * cityHash64(whose, name, args))::UInt32, names, told('args_hash')),
        arrayMap(failure -> ((failure != '') * cityHash64(whose, failure))::UInt32, told('err_sig_hash')),
        arrayMap((answer, is_told) -> (is_told * cityHash64(whose, 0, answer))::UInt32, told('result_hash'), is_long),
        arrayMap((answer, is_told) -> (is_told * cityHash64(whose, 1, answer))::UInt32, told('result_norm_hash'), is_long),
        arrayMap(is_retryable -> ((is_retryable != '') * cityHash64(whose, 'refused'))::UInt32, told('retryable'))
    ))) AS keys
FROM spans
WHERE {{which}} AND entry = 'span' AND kind = 'model_call' AND length(run_id) <= {{id_most}}
    AND a['farthing.tool_results.call_id'] != ''
GROUP BY run_id
SETTINGS optimize_functions_to_subcolumns = 0, group_by_two_level_threshold = 0, group_by_two_level_threshold_bytes = 0
