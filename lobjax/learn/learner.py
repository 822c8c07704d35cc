"""One update as one program: play, estimate advantages, learn, report."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
from flax import struct

from lobjax.learn import collapse, devices, ppo, rewards, rollout
from lobjax.learn.config import TrainConfig
from lobjax.learn.gae import gae
from lobjax.nets import Head, NetFns, make_net
from lobjax.nets.statistics import Statistics, merge, unit_statistics
from lobjax.policy import make_head
from lobjax.settings import key_of, settled, threefry


@struct.dataclass
class Shared:
    """What all environments and devices have in common."""

    params: Any  # {"net": ..., "head": ...}
    moments: Any  # the optimiser's state
    statistics: Statistics  # of observations
    key: jax.Array  # key[], constant: minibatches derive from it and the update
    update: jax.Array  # int32[]: updates done
    returns: Any = None  # statistics of discounted returns, where rewards are normalised


@struct.dataclass
class TrainState:
    """All that a run is at one moment; saved, restored and hashed as it stands."""

    shared: Shared
    local: rollout.Local


class LearnerFns(NamedTuple):
    """A learner as pure functions: init(key, constants) -> state; make_update(axis_name) -> update(state, constants) -> state, metrics.

    `constants` are the environment's parameters. `metrics` is {"finite": tree of bool[], "scalars": {name: f32[]},
    "vectors": {name: f32[k]}}.
    """

    init: Callable[[jax.Array, Any], TrainState]
    make_update: Callable[[str | None], Callable]


def make_learner(config: TrainConfig, env: Any, net: NetFns, head: Head) -> LearnerFns:
    """The program of one training run. `env` follows the contract of `lobjax.env`."""
    loss = ppo.make_loss(config.algorithm, net, head)

    @settled
    def init(key: jax.Array, constants: Any) -> TrainState:
        params_key, env_key, own_key = jax.random.split(threefry(key), 3)
        params = {"net": net.init(params_key), "head": head.init()}
        shared = Shared(
            params=params,
            moments=ppo.make_optimiser(config.algorithm).init(params),
            statistics=unit_statistics(env.observation_size),
            key=own_key,
            update=jnp.zeros((), jnp.int32),
            returns=rewards.unit_scale() if config.normalise_rewards else None,
        )
        local = rollout.start(env, constants, net, env_key, config.n_envs)
        if config.normalise_rewards:
            local = replace(local, returned=jnp.zeros(config.n_envs, jnp.float32))
        return TrainState(shared=shared, local=local)

    def make_update(axis_name: str | None) -> Callable:
        @settled
        def update(state: TrainState, constants: Any) -> tuple[TrainState, dict[str, Any]]:
            _check(state, env)
            shared, carry = state.shared, state.local.carry
            progress = shared.update.astype(jnp.float32) / max(config.n_updates - 1, 1)
            acting = rollout.PolicyState(shared.params, shared.statistics, progress)
            local, played, sums = rollout.collect(config, env, constants, net, head, acting, state.local, shared.update)
            local, returns, reward = _rewards(config, local, shared.returns, played, axis_name)
            advantage = gae(
                reward,
                played.value,
                played.next_value,
                played.terminated,
                played.truncated,
                config.algorithm.discount,
                config.algorithm.trace_decay,
            )
            target = advantage + played.value
            batch = ppo.Batch(
                carry=carry,
                observation=rollout.see(config, shared.statistics, played.observation),
                reset=played.reset,
                raw_action=played.raw_action,
                log_prob=played.log_prob,
                value=played.value,
                advantage=_standardise(advantage, axis_name) if config.algorithm.normalise_advantages else advantage,
                target=target,
            )
            params, moments, metrics, finite = ppo.optimise(
                config.algorithm,
                loss,
                shared.params,
                shared.moments,
                batch,
                local.index,
                jax.random.fold_in(shared.key, shared.update),
                progress,
                axis_name,
            )
            shared = replace(
                shared,
                params=params,
                moments=moments,
                statistics=_see_more(config, shared.statistics, played.observation, axis_name),
                update=shared.update + 1,
                returns=returns,
            )
            scalars = metrics | _describe(played, target, sums, axis_name)
            scalars["learning_rate"] = ppo.learning_rate(config.algorithm, progress)
            if config.normalise_rewards:
                scalars["rollout/return_deviation"] = jnp.sqrt(returns.variance)
            habits = collapse.habits(getattr(env, "idle", None), head.to_action(played.raw_action))
            scalars |= devices.mean(habits.scalars, axis_name)
            vectors = devices.mean(head.summary(played.raw_action) | habits.vectors, axis_name)
            played_finite = {
                "observation": jnp.isfinite(played.observation).all(),
                "reward": jnp.isfinite(played.reward).all(),
                "value": jnp.isfinite(played.value).all(),
            }
            report = {
                "finite": devices.everywhere({"1_played": played_finite, "2_gradient": finite}, axis_name),
                "scalars": scalars,
                "vectors": {f"action/{name}": x for name, x in vectors.items()},
            }
            return TrainState(shared=shared, local=local), report

        return update

    return LearnerFns(init, make_update)


def assemble(config: TrainConfig, env: Any) -> LearnerFns:
    """The learner of a configuration; InputError where head and action space do not belong together."""
    head = make_head(env.action_space, config.head)
    return make_learner(config, env, make_net(config.net, env.observation_size, head), head)


def metric_names(config: TrainConfig, env: Any) -> list[str]:
    """The scalars that every update of such a run reports; nothing is computed."""
    learner = assemble(config, env)
    state = jax.eval_shape(learner.init, key_of(0), env.default_params)
    return list(jax.eval_shape(learner.make_update(None), state, env.default_params)[1]["scalars"])


def _check(state: TrainState, env: Any) -> None:
    """AssertionError, while it is traced, where a state is not of this learner's environments."""
    local = state.local
    chex.assert_shape(local.observation, (None, env.observation_size))
    chex.assert_shape((local.index, local.key, local.reset), local.observation.shape[:1])
    chex.assert_type((local.observation, local.index, local.reset), (jnp.float32, jnp.int32, bool))
    chex.assert_shape((state.shared.key, state.shared.update), ())
    chex.assert_type(state.shared.update, jnp.int32)


def _moments(x: jax.Array, axis: Any, axis_name: str | None) -> tuple[jax.Array, jax.Array]:
    """Mean and variance over `axis` and over devices; two passes, so that a large mean costs no precision."""
    mean = devices.mean(x.mean(axis=axis), axis_name)
    around = mean.reshape((1,) * (x.ndim - mean.ndim) + mean.shape)
    return mean, devices.mean(((x - around) ** 2).mean(axis=axis), axis_name)


def _standardise(x: jax.Array, axis_name: str | None) -> jax.Array:
    mean, variance = _moments(x, None, axis_name)
    return (x - mean) / (jnp.sqrt(variance) + 1e-8)


def _see_more(config: TrainConfig, old: Statistics, observation: jax.Array, axis_name: str | None) -> Statistics:
    if not config.normalise_observations:
        return old
    mean, variance = _moments(observation, (0, 1), axis_name)
    count = jnp.asarray(config.batch_size, jnp.float32)
    return merge(old, Statistics(count=count, mean=mean, variance=variance))


def _rewards(
    config: TrainConfig, local: rollout.Local, old: Any, played: rollout.Trajectory, axis_name: str | None
) -> tuple[rollout.Local, Any, jax.Array]:
    """Rewards to learn from, by the deviation of all returns up to and with these; and what is remembered of them."""
    if not config.normalise_rewards:
        return local, old, played.reward
    done = played.terminated | played.truncated
    returned, returns = rewards.discounted(local.returned, played.reward, done, config.algorithm.discount)
    mean, variance = _moments(returns, None, axis_name)
    statistics = merge(old, Statistics(count=jnp.asarray(config.batch_size, jnp.float32), mean=mean, variance=variance))
    return replace(local, returned=returned), statistics, rewards.scaled(statistics, played.reward)


def _describe(played: rollout.Trajectory, target: jax.Array, sums: dict, axis_name: str | None) -> dict[str, jax.Array]:
    """Metrics of what was played. Over episodes that ended, floats of `info` are averaged and integers summed."""
    _, unexplained = _moments(target - played.value, None, axis_name)
    _, spread = _moments(target, None, axis_name)
    sums = devices.total(sums, axis_name)
    count = sums.pop("count")
    episodes = {}
    for name, value in sums.items():
        averaged = jnp.issubdtype(value.dtype, jnp.floating) or name == "episode_length"
        episodes[f"episode/{name.removeprefix('episode_')}"] = (
            value.astype(jnp.float32) / jnp.maximum(count, 1).astype(jnp.float32) if averaged else value
        )
    return episodes | {
        "episode/count": count,
        "rollout/reward": devices.mean(played.reward.mean(), axis_name),
        "rollout/value": devices.mean(played.value.mean(), axis_name),
        "value/explained_variance": jnp.where(spread > 1e-8, 1 - unexplained / jnp.maximum(spread, 1e-8), 0),
    }
