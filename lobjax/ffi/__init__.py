"""Numba functions as XLA custom calls on the CPU: no Python, no copy and no GIL between a compiled program and them.

A handler of XLA's typed FFI is a C function of one argument, the call frame; Numba's `cfunc` makes one. `jit` has the ways in which what
it is made of is compiled, `frame` reads the frame and its buffers, `batch` finds the items of a call that `vmap` batched, and `handlers`
registers handlers, if they can run here. `jax.pure_callback` would not do: with several devices and large arguments it can wait for the
thread pool that waits for it.
"""
