"""Flows for the engine `host`: Numba twins of `next`, equal to it to the bit, and the lots by price that they look at."""
