"""The engine `kernel`: a market's step as one GPU kernel, equal to `lobjax.market.xla` to the bit."""
