"""`fills`, `account` and `rewards` of `lobjax.snapshot` in Numba, on loops and in 64-bit integers. No JAX."""
