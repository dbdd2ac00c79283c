-- Unknown is never zero: the sum is NULL where of no call the cost is known.
if(sum(t.calls) > 0 AND sum(t.calls) = sum(t.unpriced_calls), NULL, sum(t.cost_usd))
