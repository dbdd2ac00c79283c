-- The entries of the spans whose ids begin so, of one run or of all.
SELECT *
FROM spans
WHERE startsWith(span_id, {id:String}) AND ({run_id:String} = '' OR run_id = {run_id:String})
ORDER BY trace_id, span_id, ingested_at, load, calls
LIMIT 1000
