"""`python -m backtest arena`: players of every role against every mixture on common random numbers; markets with and without roles."""
