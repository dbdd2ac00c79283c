"""What people and their tools read from a running collector."""
