"""Compiling for tests that run a program a few times: XLA without LLVM's optimisations, in a third of the time.

For programs of integers, which no optimisation may change, and for comparisons of two programs that are both compiled so. Programs as
users get them are in other cases of the same tests.
"""

from functools import partial

import jax

_OPTIONS = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
FLAGS = " ".join(f"--{name}={int(value)}" for name, value in _OPTIONS.items())  # for XLA_FLAGS of a process

quick_jit = partial(jax.jit, compiler_options=_OPTIONS)
