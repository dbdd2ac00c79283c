"""How well the 3x rule finds what was put in, and how long a backtest takes."""
