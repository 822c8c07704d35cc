"""Playing: environments and policy step together for one rollout.

Randomness is drawn from a key for each environment and from counts, never from a shared stream, so a trajectory does not depend on how
many environments or devices play beside it. Episodes that end go on from `lobjax.learn.bank`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import struct

from lobjax.learn.bank import Bank, fill_bank, restart
from lobjax.learn.config import TrainConfig
from lobjax.nets import Head, NetFns
from lobjax.nets.statistics import Statistics, normalise
from lobjax.playing import Standing, Turn, acting, play, turn
from lobjax.settings import split_each


@struct.dataclass
class Local:
    """What belongs to single environments; leaves lead with [B] (scalars of `carry` are shared)."""

    index: jax.Array  # int32[B]: the number of the environment among those of all devices
    key: jax.Array  # key[B], constant: everything random here derives from it
    state: Any  # the environment's state
    observation: jax.Array  # f32[B, D]: what it shows now
    reset: jax.Array  # bool[B]: that is the first of an episode
    carry: Any  # the policy's memory of this episode
    returned: Any = None  # f32[B]: discounted rewards of this episode so far, where rewards are normalised


class Trajectory(NamedTuple):
    """What was played; all arrays are [T, B, ...]."""

    observation: jax.Array  # f32[T, B, D], as the environment gave it
    reset: jax.Array
    raw_action: jax.Array
    log_prob: jax.Array
    value: jax.Array
    next_value: jax.Array  # of the next observation in the same episode, the final one included
    reward: jax.Array
    terminated: jax.Array
    truncated: jax.Array


class PolicyState(NamedTuple):
    """The policy as it stands during one rollout."""

    params: Any
    statistics: Statistics
    progress: jax.Array


class Drawn(NamedTuple):
    """What is known of a decision; leaves lead with [B]."""

    raw_action: jax.Array  # as the head draws it
    log_prob: jax.Array
    value: Any  # the network's, () where it is not JAX's


def start(env: Any, constants: Any, net: NetFns, key: jax.Array, n_envs: int) -> Local:
    """All environments of a run at the start of their first episodes; `constants` are the environment's parameters."""
    index = jnp.arange(n_envs, dtype=jnp.int32)
    keys = jax.vmap(jax.random.fold_in, in_axes=(None, 0))(key, index)
    reset_keys, own_keys = split_each(keys)
    observation, state = jax.vmap(env.reset, in_axes=(0, None))(reset_keys, constants)
    reset = jnp.ones(n_envs, bool)
    return Local(index, own_keys, state, observation, reset, net.initial_carry(n_envs))


def see(config: TrainConfig, statistics: Statistics, observation: jax.Array) -> jax.Array:
    """An observation as the network reads it."""
    return normalise(statistics, observation) if config.normalise_observations else observation


def collect(
    config: TrainConfig,
    env: Any,
    constants: Any,
    net: NetFns,
    head: Head,
    policy: PolicyState,
    local: Local,
    update: Any,
) -> tuple[Local, Trajectory, dict[str, jax.Array]]:
    """Play `rollout_length` steps. Returns where things stand, the trajectory, and sums over episodes that ended.

    `update` int32[] counts rollouts before this one. The sums have a key "count" and one for each scalar in the environment's `info`.
    """
    keys = jax.vmap(jax.random.fold_in, in_axes=(0, None))(local.key, update)
    bank_keys, step_keys = split_each(keys)
    bank = fill_bank(config.bank_size, env, constants, bank_keys)

    def infer(now: Standing) -> tuple[Any, tuple[Any, jax.Array]]:
        return net.step(policy.params["net"], now.memory, see(config, policy.statistics, now.observation), now.first)

    def record(made: Turn) -> tuple[Trajectory, dict[str, jax.Array]]:
        now, said = made.before, made.said
        step = Trajectory(
            observation=now.observation,
            reset=now.first,
            raw_action=said.raw_action,
            log_prob=said.log_prob,
            value=said.value,
            next_value=_value_where(made.truncated, config, net, policy, made.memory, made.observation),
            reward=made.reward,
            terminated=made.terminated,
            truncated=made.truncated,
        )
        return step, finished(made.done, made.info)

    one = one_turn(env, constants, head, policy.params["head"], policy.progress, bank, step_keys, infer, record)
    times = jnp.arange(config.rollout_length, dtype=jnp.int32)
    last, (trajectory, sums) = play(one, standing(local), times)
    local = after(local, last)
    last_value = _value(config, net, policy, local.carry, local.observation, local.reset)
    following = jnp.concatenate([trajectory.value[1:], last_value[None]])
    next_value = jnp.where(trajectory.truncated, trajectory.next_value, following)
    return local, trajectory._replace(next_value=next_value), jax.tree.map(lambda x: x.sum(axis=0, dtype=x.dtype), sums)


def one_turn(
    env: Any,
    constants: Any,
    head: Head,
    head_params: Any,
    progress: Any,
    bank: Bank,
    step_keys: jax.Array,
    infer: Callable[[Standing], tuple[Any, tuple[Any, Any]]],
    record: Callable[[Turn], Any],
) -> Callable[[Standing, jax.Array], tuple[Standing, Any]]:
    """One step of a rollout, (standing, t) -> (standing, record), the same for Flax and torch: draw an action, move, go on from the bank.

    `infer(standing)` is the network: its memory, and (outputs for the head, value). A turn's `said` is `Drawn`.
    """

    def decide(keys: jax.Array, now: Standing) -> tuple[Any, jax.Array, Drawn]:
        memory, (outputs, value) = infer(now)
        inputs = head.inputs(head_params, outputs, progress)
        raw = jax.vmap(head.sample)(keys, inputs)
        return memory, head.to_action(raw), Drawn(raw, head.log_prob(inputs, raw), value)

    def keys(t: jax.Array) -> tuple[jax.Array, jax.Array]:
        action_keys, env_keys = split_each(jax.vmap(jax.random.fold_in, in_axes=(0, None))(step_keys, t))
        return action_keys, env_keys

    def go_on(made: Turn) -> tuple[jax.Array, Any]:
        return restart(bank, made.before.ended, made.done, (made.observation, made.state))

    return turn(decide, acting(env.transition, constants), keys, restart=go_on, record=record)


def standing(local: Local) -> Standing:
    """Where environments stand when a rollout begins, in which none has ended an episode so far."""
    return Standing(local.carry, local.observation, local.state, local.reset, jnp.zeros(local.index.shape, jnp.int32))


def after(local: Local, last: Standing) -> Local:
    """`local` after it was played up to `last`."""
    return replace(local, state=last.state, observation=last.observation, reset=last.first, carry=last.memory)


def _value(config, net, policy, carry, observation, reset) -> jax.Array:
    seen = see(config, policy.statistics, observation)
    return net.step(policy.params["net"], carry, seen, reset)[1][1]


def _value_where(truncated, config, net, policy, carry, observation) -> jax.Array:
    """Values of final observations, where any episode was cut short; computed only then."""
    return jax.lax.cond(
        jnp.any(truncated),
        lambda: _value(config, net, policy, carry, observation, jnp.zeros_like(truncated)),
        lambda: jnp.zeros(truncated.shape, jnp.float32),
    )


def finished(done: jax.Array, info: dict[str, Any]) -> dict[str, jax.Array]:
    """Sums over the episodes that ended in this step of every scalar in `info`, and their count."""
    scalars = {name: value for name, value in info.items() if name != "final_observation"}
    sums = {name: jnp.where(done, value, 0).sum(axis=0, dtype=value.dtype) for name, value in scalars.items()}
    return {"count": done.sum(dtype=jnp.int32), **sums}
