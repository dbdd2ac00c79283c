"""What agent frameworks know of the work they do: one file per framework.

Each has `install(readers)`, called once the framework is imported: it adds a reader, or
wraps what runs a step. What code, a caller or the environment says goes before it.
"""
