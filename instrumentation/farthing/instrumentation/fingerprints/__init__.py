"""What a span says of messages and tool calls without saying them: keyed hashes.

`normalise` makes texts that differ in numbers alone equal, `failure` finds errors in
results that claim success, `hashes` turns texts into fingerprints under a key, `turn`
into the attributes of a model call. `docs/fingerprints.md` has the fields.
"""
