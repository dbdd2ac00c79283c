-- The entries of the spans whose ids begin so.
SELECT *
FROM spans
WHERE startsWith(span_id, {id:String})
ORDER BY trace_id, span_id, ingested_at, load, calls
LIMIT 1000
