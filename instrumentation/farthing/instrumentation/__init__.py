"""What enters an agent's process: tagging, fingerprints and the guard."""
