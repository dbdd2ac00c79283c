"""Limits that act while the agent spends: `docs/guard.md`.

`settings` reads what the user asked for, `runs` keeps a budget per run, `estimate`
prices a call before it is sent, `guard` is the observer that holds, warns, stops or
hands back, `notices` tells.
"""
