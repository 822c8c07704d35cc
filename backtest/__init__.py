"""Backtests: a saved agent and rule-based strategies over the same episodes of a recorded day or a simulated market."""
