"""What instrumentation costs an agent: its calls (`calls`), its start (`startup`)."""
