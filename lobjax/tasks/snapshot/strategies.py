"""Benchmarks of the snapshot trader: hold as much as the limits allow from the first snapshot on, long, short or not at all."""

from typing import Any, Protocol, cast

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.env import Environment, EnvParams, EnvState
from lobjax.strategies import Strategy
from lobjax.tasks.registry import Field, Strategies
from lobjax.tasks.snapshot.market import Sent


class Trades(Protocol):
    """The snapshot task, which takes any size."""

    def send(self, state: Any, lots: jax.Array) -> tuple[Any, Sent]: ...


class Holder(flax.struct.PyTreeNode):
    """Sends one order at its first decision, then nothing. What the limits do not allow is cut off, what is left over goes on."""

    lots: jax.Array  # int32, signed; 0 does nothing

    def decide(self, env: Environment, state: EnvState, params: EnvParams) -> tuple[Any, Sent]:
        """As `Strategy.decide`."""
        lots = jnp.where(state.task.step == 0, self.lots, 0)
        return cast(Trades, env.task).send(state.task, lots)


def _make(field: Field, names: tuple[str, ...]) -> dict[str, Strategy]:
    """At the largest position that is allowed."""
    limit = field.params.market.position_limit
    sizes = {"buy_and_hold": limit, "sell_and_hold": -limit, "do_nothing": 0 * limit}
    return {name: Holder(sizes[name]) for name in names}


STRATEGIES = Strategies(make=_make, names=("buy_and_hold", "sell_and_hold", "do_nothing"))
