-- One batch of OTLP requests in, as one block that counts once: the engine reads, decodes
-- and prices it and writes it to spans, whose views write the roll-ups.
INSERT INTO spans ({{columns}}) SETTINGS {{settings}}
SELECT *, {{decoding}} AS decoding FROM (
{{decode}}
)
