"""How fast spans go from the wire into the ledger, and what that costs."""
