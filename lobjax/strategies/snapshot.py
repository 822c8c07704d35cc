"""Benchmarks of the snapshot trader: hold as much as the limits allow from the first snapshot on, long, short or not at all."""

from typing import Any

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.env import Environment, EnvParams, EnvState
from lobjax.env.snapshot_market import Sent

NAMES = ("buy_and_hold", "sell_and_hold", "do_nothing")


class Holder(flax.struct.PyTreeNode):
    """Sends one order at its first decision, then nothing. What the limits do not allow is cut off, what is left over goes on."""

    lots: jax.Array  # int32, signed; 0 does nothing

    def decide(self, env: Environment, state: EnvState, params: EnvParams) -> tuple[object, Sent]:
        """As `Strategy.decide`."""
        lots = jnp.where(state.task.step == 0, self.lots, 0)
        return env.task.send(state.task, lots)  # type: ignore[attr-defined]  # the snapshot task's


def holders(params: EnvParams, names: tuple[str, ...]) -> dict[str, Any]:
    """`Holder`s of these names, at the largest position that is allowed; strategies for a market of snapshots only."""
    limit = params.market.position_limit  # type: ignore[attr-defined]
    sizes = {"buy_and_hold": limit, "sell_and_hold": -limit, "do_nothing": 0 * limit}
    return {name: Holder(sizes[name]) for name in names}
