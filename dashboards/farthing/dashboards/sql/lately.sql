-- Of a long range its end: how long things take now, without reading every span of it.
t.time >= $__toTime - toIntervalDay(7)
