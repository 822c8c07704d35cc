"""Playing: environments and policy step together for one rollout.

Randomness is drawn from a key for each environment and from counts, never from a shared stream, so a trajectory does not depend on how
many environments or devices play beside it.

Episodes that end go on from a bank of starts drawn once per rollout: an environment's own reset can cost a warm-up of its market, and
under `vmap` an auto-reset would pay that at every step.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import struct

from lobjax.learn.config import TrainConfig
from lobjax.nets import Head, NetFns
from lobjax.nets.statistics import Statistics, normalise
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


class _Bank(NamedTuple):
    observation: jax.Array  # f32[bank_size, B, D]
    state: Any  # leaves [bank_size, B, ...]


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

    def play(carried, t):
        local, endings = carried
        keys = jax.vmap(jax.random.fold_in, in_axes=(0, None))(step_keys, t)
        action_keys, env_keys = split_each(keys)
        carry, (outputs, value) = net.step(
            policy.params["net"], local.carry, see(config, policy.statistics, local.observation), local.reset
        )
        inputs = head.inputs(policy.params["head"], outputs, policy.progress)
        raw = jax.vmap(head.sample)(action_keys, inputs)
        observation, state, reward, terminated, truncated, info = jax.vmap(env.transition, in_axes=(0, 0, 0, None))(
            env_keys, local.state, head.to_action(raw), constants
        )
        done = terminated | truncated
        final_value = _value_where(truncated, config, net, policy, carry, observation)
        step = Trajectory(
            observation=local.observation,
            reset=local.reset,
            raw_action=raw,
            log_prob=head.log_prob(inputs, raw),
            value=value,
            next_value=final_value,
            reward=reward,
            terminated=terminated,
            truncated=truncated,
        )
        observation, state = restart(bank, endings, done, (observation, state))
        local = replace(local, state=state, observation=observation, reset=done, carry=carry)
        return (local, endings + done.astype(jnp.int32)), (step, finished(done, info))

    endings = jnp.zeros(local.index.shape, jnp.int32)
    (local, _), (trajectory, sums) = jax.lax.scan(
        play, (local, endings), jnp.arange(config.rollout_length, dtype=jnp.int32)
    )
    last_value = _value(config, net, policy, local.carry, local.observation, local.reset)
    following = jnp.concatenate([trajectory.value[1:], last_value[None]])
    next_value = jnp.where(trajectory.truncated, trajectory.next_value, following)
    return local, trajectory._replace(next_value=next_value), jax.tree.map(lambda x: x.sum(axis=0, dtype=x.dtype), sums)


def fill_bank(bank_size: int, env: Any, constants: Any, keys: jax.Array) -> _Bank:
    def fill(b):
        own = jax.vmap(jax.random.fold_in, in_axes=(0, None))(keys, b)
        return _Bank(*jax.vmap(env.reset, in_axes=(0, None))(own, constants))

    return jax.lax.map(fill, jnp.arange(bank_size, dtype=jnp.int32))


def restart(bank: _Bank, endings: jax.Array, done: jax.Array, now: tuple[jax.Array, Any]) -> tuple[jax.Array, Any]:
    """Replace the observation and state of environments that are `done` by the next start in their bank."""
    bank_size, n_envs = bank.observation.shape[:2]
    turn = endings % bank_size

    def swap(now):
        def choose(starts, present):
            chosen = starts[turn, jnp.arange(n_envs, dtype=jnp.int32)] if bank_size > 1 else starts[0]
            where = done.reshape(-1, *(1,) * (chosen.ndim - 1))
            return jnp.where(where, chosen, present)

        return jax.tree.map(choose, tuple(bank), now)

    return jax.lax.cond(jnp.any(done), swap, lambda now: now, now)


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
