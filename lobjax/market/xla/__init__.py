"""The engine `xla`: a market's step as a loop in XLA, anywhere JAX runs. It is the definition; other engines equal it to the bit."""
