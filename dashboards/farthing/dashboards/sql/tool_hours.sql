-- Tools have no model, so what is chosen of models does not hold for them.
t.hour >= toStartOfHour(toDateTime($__fromTime, 'UTC')) AND t.hour <= $__toTime AND t.kind = 'tool' AND {{who_acts}}
