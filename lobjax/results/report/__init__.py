"""A report: one HTML page with figures, from the folder that a backtest left."""
