"""What commands take: one module each, of a signature, its help and what can be refused at once.

Nothing here imports JAX or Numba before the command runs, so that help and a wrong argument come at once.
"""
