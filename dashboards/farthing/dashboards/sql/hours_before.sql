-- Where as many whole hours begin that end at `since` as there are from it to the end of the range.
since - toIntervalHour(greatest(1, toInt64(round(($__toTime - since) / 3600))))
