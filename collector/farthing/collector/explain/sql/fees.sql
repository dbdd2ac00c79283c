-- Fees that were in force for a model: the provider's default first, its own after it.
SELECT tool, femto_usd
FROM tool_fees
WHERE catalogue = {catalogue:String} AND provider = {provider:String}
    AND model IN ('', {model:String})
    AND toUnixTimestamp(valid_from) <= {at_s:Int64} AND toUnixTimestamp(valid_to) >= {at_s:Int64}
ORDER BY model
