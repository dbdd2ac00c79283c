"""Whether what was acknowledged survives `kill -9`, once."""
