-- Whole hours, as `farthing report` has them.
t.hour >= toStartOfHour(toDateTime($__fromTime, 'UTC')) AND t.hour <= $__toTime AND {{chosen}}
