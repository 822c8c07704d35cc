"""How a batch of long loops runs on a CPU: one member after another, and the whole loop as one function of machine code.

`vmap` makes a loop over messages a loop of wide operations: each sweeps all books through memory, does for every book what any
kind of message may need, and costs XLA a call. That suits a GPU. A CPU is fast the other way round: one book stays in its nearest
cache, a branch that is not taken costs nothing, and there are no calls. XLA compiles so where it is told to by an attribute of a call
(`xla_cpu_small_call`; it sets it itself on loops of less than a kilobyte). An XLA that does not know it gives the same numbers slowly.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental.xla_metadata import set_xla_metadata

# What XLA cannot put into such a function, by the beginnings of JAX's names.
_ELSEWHERE = (
    "sort", "scatter", "top_k", "fft", "conv_general", "ffi", "custom_call", "rng_bit", "pure_callback", "io_callback", "debug",
)  # fmt: skip


def one_by_one(function: Callable) -> Callable:
    """`function`, pure and of arrays; under `vmap`, the members of a batch run one after another on a CPU, and side by side elsewhere.

    Give it all that is traced as arguments: it must close over nothing but constants. On a CPU it keeps one core of a device busy. A
    function that sorts, scatters or calls out of XLA is left as it is.
    """
    function = jax.jit(function)  # so that it is traced once
    member_by_member = jax.custom_batching.sequential_vmap(function)

    @jax.jit
    def whole(*arguments: Any) -> Any:
        return _using(arguments, member_by_member(*arguments))

    def on_cpu(*arguments: Any) -> Any:
        return jax.tree.map(_mark_call, whole(*arguments))

    def call(*arguments: Any) -> Any:
        if not _fits(jax.make_jaxpr(function)(*arguments).jaxpr):
            return function(*arguments)
        return jax.lax.platform_dependent(*arguments, cpu=on_cpu, default=function)

    return call


def _mark_call(result: jax.Array) -> Any:
    return set_xla_metadata(result, inlineable="false", xla_cpu_small_call="true")


def _using(arguments: Any, result: Any) -> Any:
    """The result, made to depend on every argument: XLA (0.10 and 0.11) aborts on one that it finds not to be used."""
    words = [jnp.ravel(leaf)[0].astype(jnp.int32) for leaf in jax.tree.leaves(arguments) if jnp.size(leaf)]
    nothing = sum(words, jnp.int32(0)) ** 2 & 2  # 0, as a square leaves 0 or 1 modulo 4; XLA does not know
    leaves, tree = jax.tree.flatten(result)
    smallest = min((at for at in range(len(leaves)) if jnp.size(leaves[at])), key=lambda at: jnp.size(leaves[at]))
    leaves[smallest] = leaves[smallest] + nothing.astype(leaves[smallest].dtype)
    return jax.tree.unflatten(tree, leaves)


def _fits(jaxpr: Any) -> bool:
    """Whether nothing in it, nor in what it calls, has to run elsewhere."""
    if any(eqn.primitive.name.startswith(_ELSEWHERE) for eqn in jaxpr.eqns):
        return False
    values = (
        getattr(leaf, "jaxpr", leaf) for eqn in jaxpr.eqns for leaf in jax.tree.leaves(tuple(eqn.params.values()))
    )
    return all(_fits(value) for value in values if hasattr(value, "eqns"))
