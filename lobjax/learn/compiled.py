"""A whole run as one pure function, for those who compile, map or differ where `lobjax.learn.train` does not."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jax.custom_batching import sequential_vmap

from lobjax.learn.config import TrainConfig
from lobjax.learn.learner import TrainState, assemble
from lobjax.settings import settled
from lobjax.tasks import make


class Trained(NamedTuple):
    """What a run as a function returns."""

    state: TrainState  # `state.shared.params` is the agent's {"net", "head"}
    metrics: dict[str, jax.Array]  # by name, [n_updates]: what metrics.jsonl has


def make_train(config: TrainConfig, env: Any = None) -> Callable[[jax.Array], Trained]:
    """train(key[]) -> `Trained`: all updates of a run on one device, for `jax.jit` and `jax.vmap` over keys.

    `env`: by default the one that `config.env` names. Nothing is saved, shown, evaluated or checked to be finite. With the key of a seed
    (`jax.random.key(config.seed)`) it ends as the run of that seed does, up to the rounding of another program.
    """
    env = make(config.env) if env is None else env
    learner = assemble(config, env)
    constants = env.default_params
    # One after another under `vmap`, where orthogonal initialisers would become batched QR calls that may wait for each other for ever
    # (see `lobjax.learn.sweep.play`).
    init = sequential_vmap(lambda key: learner.init(key, constants))

    @settled
    def train(key: jax.Array) -> Trained:
        update = learner.make_update(None)

        def advance(state: TrainState, _: None) -> tuple[TrainState, dict[str, jax.Array]]:
            state, report = update(state, constants)
            return state, report["scalars"]

        return Trained(*jax.lax.scan(advance, init(key), None, config.n_updates))

    return train
