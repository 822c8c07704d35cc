"""The engine `host`: a market's step as a Numba program on the CPU, equal to `lobjax.market.xla` to the bit."""
