"""Benchmarks of market making by name: fixed quotes, the same distance on both sides; and closed forms where they are named."""

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from lobjax.env import Environment, EnvParams, EnvState
from lobjax.settings import settled
from lobjax.strategies import Strategy, quoting_models
from lobjax.tasks.registry import Field, Strategies

MODELS = ("avellaneda_stoikov", "gueant_lehalle_fernandez_tapia", "cartea_jaimungal")


class SymmetricQuoter(flax.struct.PyTreeNode):
    """Always the `choice`-th offset of the task on both sides, whatever the inventory (the limits apply)."""

    choice: jax.Array  # int32

    def decide(self, env: Environment, state: EnvState, params: EnvParams):
        """See `Strategy`."""
        return env.task.act(state.task, state.market, jnp.full((2,), self.choice, jnp.int32), params.task)


@settled
def symmetric_quoters(offsets_ticks: tuple[int, ...]) -> dict[str, SymmetricQuoter]:
    """A quoter for each of the task's offsets, named by its ticks behind the best price."""
    return {f"symmetric_{ticks}": SymmetricQuoter(jnp.int32(k)) for k, ticks in enumerate(offsets_ticks)}


def _make(field: Field, names: tuple[str, ...]) -> dict[str, Strategy]:
    by_model = tuple(name for name in names if name in MODELS)
    modelled = quoting_models(by_model, field.env, field.params, field.models, field.elsewhere)
    found: dict[str, Strategy] = {}
    for name in names:
        found |= {name: modelled[name]} if name in modelled else symmetric_quoters(_offsets(field.params))
    return found


def _offsets(params: EnvParams) -> tuple[int, ...]:
    return tuple(np.asarray(params.task.offsets).tolist())


def _count(params: EnvParams, names: tuple[str, ...]) -> int:
    return sum(1 if name in MODELS else len(_offsets(params)) for name in names)


STRATEGIES = Strategies(make=_make, count=_count, names=("symmetric",), models=MODELS)
