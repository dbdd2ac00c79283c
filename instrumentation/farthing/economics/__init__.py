"""Pure rules that agent and collector share: usage, prices, budgets, loops. No I/O."""
