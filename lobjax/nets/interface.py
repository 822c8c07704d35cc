"""What a network is to the rest of lobjax: four pure functions over parameters, and a carried state."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax

Params = Any
Carry = Any
Outputs = tuple[jax.Array, jax.Array]


class NetFns(NamedTuple):
    """An actor-critic over time, batched over environments that step together.

    `step` and `sequence` are two ways to compute one thing: at equal parameters, `sequence` from the carry before a trajectory gives
    what `step` gives along it. A carry is a pytree whose leaves lead with the environments `[B, ...]`, or are scalars that
    all environments share. `reset` is true where an observation is the first of its episode: nothing from before it is used.

    init(key) -> params
    initial_carry(B) -> carry
    step(params, carry, observation f32[B, D], reset bool[B]) -> carry, (outputs f32[B, O], value f32[B])
    sequence(params, carry, observation f32[T, B, D], reset bool[T, B]) -> outputs f32[T, B, O], value f32[T, B]

    `outputs` are the numbers that an action head (`lobjax.nets.heads`) reads.
    """

    init: Callable[[jax.Array], Params]
    initial_carry: Callable[[int], Carry]
    step: Callable[[Params, Carry, jax.Array, jax.Array], tuple[Carry, Outputs]]
    sequence: Callable[[Params, Carry, jax.Array, jax.Array], Outputs]
