-- The row of a price list that an entry was priced with.
SELECT
    * EXCEPT (valid_from, valid_to),
    toUnixTimestamp(valid_from) AS valid_from,
    toUnixTimestamp(valid_to) AS valid_to
FROM prices
WHERE catalogue = {catalogue:String} AND row_id = {row_id:UInt64}
LIMIT 1
