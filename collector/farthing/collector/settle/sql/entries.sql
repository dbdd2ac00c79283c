-- Entries by their place in the ledger; corrections that this batch made before are left
-- out, so that a batch which is repeated is settled as it was the first time.
SELECT entry, load, owner_trace_id, owner_span_id, toUnixTimestamp64Micro(time), now('UTC'), {{columns}}
FROM spans
WHERE (run_id, time) IN ({{places}}) AND kind IN ('model_call', 'embedding', 'tool')
    AND NOT (entry = 'correction' AND load = {{load}})
