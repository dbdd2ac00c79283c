"""Questions to the ledger: what was spent, by whom and on what; runs, and one run."""
