-- The newest price list, standard service, what is in force now.
(
    SELECT provider, model, valid_from, valid_to, rates, thresholds, kind, origin, source, checked_on
    FROM prices
    WHERE catalogue = (SELECT argMax(catalogue, loaded_at) FROM catalogues) AND ctx = 0 AND slot = 0
        AND valid_from <= now() AND valid_to >= now()
)
