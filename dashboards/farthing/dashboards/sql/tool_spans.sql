-- Tools have no model, so what is chosen of models does not hold for them.
PREWHERE t.kind = 'tool'
WHERE $__timeFilter(t.time) AND t.entry = 'span' AND {{who_acts}}
