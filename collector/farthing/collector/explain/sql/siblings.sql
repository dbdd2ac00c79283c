-- The spans whose call this one owns: left out, and why.
SELECT DISTINCT trace_id, span_id, scope, name, reason
FROM spans
WHERE entry = 'correction' AND reason IN ('duplicate', 'repeated')
    AND owner_trace_id = {trace_id:String} AND owner_span_id = {span_id:String}
    AND (trace_id, span_id) != (owner_trace_id, owner_span_id)
    AND time BETWEEN {time:DateTime64(6, 'UTC')} - INTERVAL 1 HOUR AND {time:DateTime64(6, 'UTC')} + INTERVAL 1 HOUR
ORDER BY scope, span_id
LIMIT 100
