-- Tools have no model, so what is chosen of models does not hold for them.
$__timeFilter(t.time) AND t.kind = 'tool' AND t.entry = 'span' AND {{who_acts}}
