"""Alerts: rules over the ledger, their state, and the channels that tell people."""
