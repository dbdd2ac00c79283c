"""Recorded telemetry, read from files and sent over the wire."""
