"""A benchmark of market making: fixed quotes, the same distance on both sides."""

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.env import Environment, EnvParams, EnvState


class SymmetricQuoter(flax.struct.PyTreeNode):
    """Always the `choice`-th offset of the task on both sides, whatever the inventory (the limits apply)."""

    choice: jax.Array  # int32

    def decide(self, env: Environment, state: EnvState, params: EnvParams):
        """See `Strategy`."""
        return env.task.act(state.task, state.market, jnp.full((2,), self.choice, jnp.int32), params.task)


def symmetric_quoters(offsets_ticks: tuple[int, ...]) -> dict[str, SymmetricQuoter]:
    """A quoter for each of the task's offsets, named by its ticks behind the best price."""
    return {f"symmetric_{ticks}": SymmetricQuoter(jnp.int32(k)) for k, ticks in enumerate(offsets_ticks)}
