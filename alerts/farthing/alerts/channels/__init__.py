"""Channels, one per file: the file's name is the `type` in the configuration."""
