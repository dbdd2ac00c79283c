-- The columns of an entry.
SELECT name, startsWith(type, 'Nullable') AS is_nullable
FROM system.columns
WHERE database = currentDatabase() AND table = 'spans'
ORDER BY position
