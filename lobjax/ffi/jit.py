"""How functions are compiled that a handler is made of. Nothing here is called from Python, only from other compiled code."""

from functools import partial
from typing import Any

from numba import njit

# No reference counts: compiled code here neither allocates nor owns what it looks at. Not cached by itself either: Numba's cache would
# not notice an edit in a file that this code is compiled into, so handlers are cached whole, under a `stamp` of all their sources.
# Bare: nothing here is called from Python (which would crash); the ways in from there took seconds to compile.
_bare: Any = partial(njit, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)  # pyright: ignore[reportCallIssue]
inner = _bare(_nrt=False)
# For what runs once a message: a call hands over every field of every array by itself, which costs more than most of the work.
inlined = _bare(_nrt=False, forceinline=True)
outer = _bare()  # may allocate: once a thread and call
# As `inner`, but copied into its callers before types are found: without reference counts a function must not return an array of its own.
inline = _bare(_nrt=False, inline="always")
