"""A benchmark of market making: fixed quotes, the same distance on both sides."""

from dataclasses import dataclass

import jax.numpy as jnp

from lobjax.env import Environment, EnvParams, EnvState


@dataclass(frozen=True)
class SymmetricQuoter:
    """Always the `choice`-th offset of the task on both sides, whatever the inventory (the limits apply)."""

    choice: int
    name: str = "symmetric"

    def decide(self, env: Environment, state: EnvState, params: EnvParams):
        """See `Strategy`."""
        return env.task.act(state.task, state.market, jnp.full((2,), self.choice, jnp.int32), params.task)
