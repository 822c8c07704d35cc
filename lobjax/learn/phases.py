"""Time per phase of an update: environment, inference, learning.

Inside one compiled program the phases run into each other and cannot be clocked. So each is compiled as a program of its own, from the
same functions, and timed alone over one rollout: environments under actions drawn beforehand; the network and its head on one
observation, step after step; the whole rollout; the whole update. What fuses in the whole does not in the parts, so their sum
is given too, as a share of the update: far from 1, the parts say little.
"""

import time
from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from lobjax.learn import devices, rollout
from lobjax.learn.bank import fill_bank
from lobjax.learn.config import TrainConfig
from lobjax.learn.learner import TrainState, make_learner
from lobjax.nets import make_net
from lobjax.playing import acting, play, turn
from lobjax.policy import make_head

RUNS = 5


class Phases(NamedTuple):
    """Seconds of an update on one device: median of 5 runs each. `update` is the whole; `learning` is what it takes beyond the rollout."""

    environment: float
    inference: float
    rollout: float
    update: float

    @property
    def learning(self) -> float:
        return max(self.update - self.rollout, 0.0)

    @property
    def explained(self) -> float:
        """Environment, inference and learning together over the whole update."""
        return (self.environment + self.inference + self.learning) / self.update


def shares(found: Phases) -> dict[str, float]:
    """Shares of an update: what the rollout takes is split as environment and inference alone compare."""
    played = min(found.rollout, found.update) / found.update
    apart = found.environment + found.inference
    return {
        "environment": played * found.environment / apart,
        "inference": played * found.inference / apart,
        "learning": 1 - played,
    }


def measure(config: TrainConfig, env: Any, state: TrainState) -> Phases:
    """Time the phases from a whole state, with as many environments as one device has."""
    head = make_head(env.action_space, config.head)
    net = make_net(config.net, env.observation_size, head)
    constants, shared = env.default_params, state.shared
    n_envs = config.n_envs // config.devices
    local = jax.tree.map(lambda x: x if x.ndim == 0 else x[:n_envs], state.local)
    policy = rollout.PolicyState(shared.params, shared.statistics, jnp.float32(0))
    length = config.rollout_length

    def environment(local: rollout.Local) -> Any:
        actions = jax.vmap(lambda key: env.action_space.sample(key))(local.key)
        fold = jax.vmap(jax.random.fold_in, in_axes=(0, None))
        keys = fold(local.key, 1)
        one = turn(
            lambda _, now: (now.memory, actions, ()),
            acting(env.transition, constants),
            lambda t: (None, fold(keys, t)),
            record=lambda made: (made.observation, made.reward),
        )
        starts = fill_bank(config.bank_size, env, constants, keys)  # as for the episodes that end in a rollout
        return play(one, rollout.standing(local), jnp.arange(length, dtype=jnp.int32)), starts

    def inference(local: rollout.Local) -> Any:
        def act(carry, t):
            seen = rollout.see(config, policy.statistics, local.observation)
            carry, (outputs, value) = net.step(policy.params["net"], carry, seen, local.reset)
            inputs = head.inputs(policy.params["head"], outputs, policy.progress)
            raw = jax.vmap(head.sample)(jax.vmap(jax.random.fold_in, in_axes=(0, None))(local.key, t), inputs)
            return carry, (head.to_action(raw), head.log_prob(inputs, raw), value)

        return jax.lax.scan(act, local.carry, jnp.arange(length, dtype=jnp.int32))

    def whole(local: rollout.Local) -> Any:
        return rollout.collect(config, env, constants, net, head, policy, local, shared.update)

    learn = make_learner(config, env, net, head).make_update(None)

    def update(local: rollout.Local) -> Any:
        return learn(TrainState(shared=shared, local=local), constants)

    quick = config.compile == "quick"
    parts = {"environment": environment, "inference": inference, "rollout": whole, "update": update}
    return Phases(**{name: _seconds(devices.compile_init(f, local, quick=quick), local) for name, f in parts.items()})


def _seconds(call: Callable, argument: Any) -> float:
    spent = []
    for _ in range(RUNS + 1):
        begun = time.perf_counter()
        jax.block_until_ready(call(argument))
        spent.append(time.perf_counter() - begun)
    return median(spent[1:])  # the first also loads the program
