"""What instrumentation costs an agent: `python -m benchmarks.agent.calls`, `.startup`."""
