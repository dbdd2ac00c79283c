-- An amount in the unit that an alert has, in words; money with digits as on the page.
(amount, unit) -> multiIf(
    unit IN ('usd', 'usd_per_hour'), concat(
        if(amount < 0, '-$', '$'),
        multiIf(
            amount = 0, '0',
            abs(amount) >= 10, toDecimalString(abs(toFloat64(amount)), 2),
            abs(amount) >= 1, toDecimalString(abs(toFloat64(amount)), 3),
            abs(amount) >= 0.1, toDecimalString(abs(toFloat64(amount)), 4),
            abs(amount) >= 0.01, toDecimalString(abs(toFloat64(amount)), 5),
            toDecimalString(abs(toFloat64(amount)), 6)
        ),
        if(unit = 'usd', '', ' per hour')
    ),
    unit = 'ratio', concat(toDecimalString(toFloat64(amount), 1), '×'),
    unit = 'share', concat(toString(round(100 * toFloat64(amount), 1)), '%'),
    unit = 'seconds', concat(toString(round(toFloat64(amount))), ' s'),
    unit = 'count', toString(round(toFloat64(amount))),
    concat(toString(round(toFloat64(amount))), ' ', unit)
)
