"""How long panels take on a large ledger."""
