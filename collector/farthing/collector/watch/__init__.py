"""Sees runs that stop making progress: in the ledger after each load, or in files."""
