"""The program of a run in an arena: `init`, and one `update` that plays a rollout and lets every group that learns learn from it.

Each group has its network, optimiser and statistics; its seats share them. The surrogate, the gradient steps and the optimisers are
`lobjax.learn.ppo`'s: a seat is a row beside others, with weight 0 where it did not decide, had ended, or was played by a past self.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from lobjax.learn import devices, ppo, rewards
from lobjax.learn.arena import curriculum, pool, rollout
from lobjax.learn.arena.acting import fold
from lobjax.learn.arena.advantages import seat_advantages
from lobjax.learn.arena.casting import Cast
from lobjax.learn.arena.config import ArenaTrainConfig
from lobjax.learn.arena.measuring import describe, habits_of, moments, seen_more
from lobjax.learn.arena.rollout import Trajectory
from lobjax.learn.arena.state import Agent, ArenaTrainState, Constants, Shared
from lobjax.learn.learner import LearnerFns
from lobjax.nets.statistics import Statistics, unit_statistics
from lobjax.settings import settled, threefry


def make_learner(config: ArenaTrainConfig, cast: Cast) -> LearnerFns:
    """The program of one run; as `lobjax.learn.learner.LearnerFns`, with `Constants` beside the state."""
    losses = {
        name: _over_seats(ppo.make_loss(cast.learners[name].algorithm, b.net, b.head))
        for name, b in cast.brains.items()
    }

    @settled
    def init(key: jax.Array, constants: Constants) -> ArenaTrainState:
        params_key, env_key, own_key = jax.random.split(threefry(key), 3)
        agents = {
            name: _first(config, cast, name, jax.random.fold_in(params_key, at))
            for at, name in enumerate(cast.learners)
        }
        pools, outcomes = {}, {}
        if config.opponents is not None:
            pools = {name: pool.open_pool(agent, config.opponents.size) for name, agent in agents.items()}
            outcomes = {name: rewards.unit_scale() for name in agents}
        shared = Shared(agents=agents, pools=pools, outcomes=outcomes, key=own_key, update=jnp.zeros((), jnp.int32))
        return ArenaTrainState(shared=shared, local=rollout.start(config, cast, shared, constants, env_key))

    def make_update(axis_name: str | None) -> Callable:
        @settled
        def update(state: ArenaTrainState, constants: Constants) -> tuple[ArenaTrainState, dict[str, Any]]:
            shared = state.shared
            progress = shared.update.astype(jnp.float32) / max(config.n_updates - 1, 1)
            constants = replace(
                constants, arena=curriculum.at(config.curriculum, constants.arena, shared.update, config.n_updates)
            )
            local, played, sums = rollout.collect(config, cast, shared, constants, state.local, progress)
            sums = devices.total(sums, axis_name)
            key = jax.random.fold_in(shared.key, shared.update)
            agents, finite, vectors, returned = {}, {}, {}, dict(local.returned)
            scalars: dict[str, jax.Array] = describe(cast, sums)
            for at, (name, one) in enumerate(played.items()):
                carry = state.local.carry[name]
                agents[name], returned_now, found = _learn(
                    config, cast, name, losses[name], shared.agents[name], carry, one, local.returned.get(name), local.index,
                    jax.random.fold_in(key, at), progress, axis_name,
                )  # fmt: skip
                if returned_now is not None:
                    returned[name] = returned_now
                finite[name] = found.pop("finite")
                vectors |= {f"{name}/action/{what}": x for what, x in found.pop("vectors").items()}
                scalars |= {f"{name}/{what}": x for what, x in found.items()}
            each = jnp.stack([scalars[f"{name}/rollout/reward"] for name in played])
            scalars["rollout/reward"] = each.mean()
            shared = _remember(config, cast, replace(shared, agents=agents, update=shared.update + 1), sums, progress)
            vectors |= {f"{name}/pool/loss": one.loss for name, one in shared.pools.items()}
            report = {"finite": devices.everywhere(finite, axis_name), "scalars": scalars, "vectors": vectors}
            return ArenaTrainState(shared=shared, local=replace(local, returned=returned)), report

        return update

    return LearnerFns(init, make_update)  # pyright: ignore[reportArgumentType]


def _first(config: ArenaTrainConfig, cast: Cast, name: str, key: jax.Array) -> Agent:
    """An agent before its first update: new, or the one that it goes on from."""
    brain, group = cast.brains[name], cast.group(name)
    params = brain.init(key)
    statistics = unit_statistics(len(cast.arena.observation_names(group)))
    if (begun := cast.begins.get(name)) is not None:
        params, statistics = begun.params, begun.statistics
    optimiser = ppo.make_optimiser(cast.learners[name].algorithm)
    return Agent(params, optimiser.init(params), statistics, rewards.unit_scale() if config.normalise_rewards else None)


def _over_seats(loss: Callable) -> Callable:
    """A loss of batches [T, B, S, ...] from one of batches [T, B, ...]."""

    def call(params: Any, batch: ppo.Batch, progress: jax.Array) -> tuple[jax.Array, dict[str, jax.Array]]:
        rows = jax.tree.map(lambda x: x.reshape(x.shape[0], -1, *x.shape[3:]), batch._replace(carry=()))
        return loss(params, rows._replace(carry=fold(batch.carry)), progress)

    return call


def _learn(
    config: ArenaTrainConfig, cast: Cast, name: str, loss: Callable, agent: Agent, carry: Any, played: Trajectory,
    returned: jax.Array | None, index: jax.Array, key: jax.Array, progress: jax.Array, axis_name: str | None,
) -> tuple[Agent, jax.Array | None, dict[str, Any]]:  # fmt: skip
    """One group learns from what its seats played: (the agent after, discounted rewards so far, metrics)."""
    algorithm, brain = cast.learners[name].algorithm, cast.brains[name]
    learned = (played.acts & played.own).astype(jnp.float32)
    share = devices.mean(learned.mean(), axis_name)
    weight = learned / jnp.maximum(share, jnp.float32(1e-9))
    returned, scale, reward = _rewards(algorithm.discount, agent, played, returned, weight, share, axis_name)
    advantage = seat_advantages(
        reward, played.value, played.next_value, played.acts, played.terminated, played.truncated, played.done,
        algorithm.discount, algorithm.trace_decay,
    )  # fmt: skip
    advantage = jnp.where(learned > 0, advantage, 0.0)
    target = advantage + played.value
    mean, variance = moments(advantage, weight, axis_name)
    standard = (advantage - mean) / (jnp.sqrt(variance) + 1e-8) if algorithm.normalise_advantages else advantage
    batch = ppo.Batch(
        carry=carry, observation=brain.see(agent.statistics, played.observation), reset=played.reset, raw_action=played.raw_action,
        log_prob=played.log_prob, value=played.value, advantage=standard, target=target, weight=weight,
    )  # fmt: skip
    params, optimiser, metrics, finite = ppo.optimise(
        algorithm, loss, agent.params, agent.moments, batch, index, key, progress, axis_name
    )
    after = Agent(params, optimiser, _see_more(config, agent.statistics, played, weight, share, axis_name), scale)
    unexplained = moments(target - played.value, weight, axis_name)[1]
    spread = moments(target, weight, axis_name)[1]
    habits, vectors = habits_of(brain, cast.group(name).role.idle, played.raw_action, weight, axis_name)
    return after, returned, metrics | habits | {
        "vectors": vectors,
        "rollout/reward": moments(played.reward, weight, axis_name)[0],
        "rollout/value": moments(played.value, weight, axis_name)[0],
        "rollout/learned_share": share,
        "value/explained_variance": jnp.where(spread > 1e-8, 1 - unexplained / jnp.maximum(spread, 1e-8), 0),
        "learning_rate": ppo.learning_rate(algorithm, progress),
        "finite": {
            "1_played": {
                what: jnp.isfinite(getattr(played, what)).all() for what in ("observation", "reward", "value")
            },
            "2_gradient": finite,
        },
    }  # fmt: skip


def _rewards(
    discount: float, agent: Agent, played: Trajectory, returned: jax.Array | None, weight: jax.Array, share: jax.Array,
    axis_name: str | None,
) -> tuple[jax.Array | None, Any, jax.Array]:  # fmt: skip
    """What is remembered of rewards, their statistics up to and with these, and rewards to learn from."""
    if returned is None:
        return None, None, played.reward
    returned, returns = rewards.discounted(returned, played.reward, played.done, discount)
    scale = seen_more(agent.returns, returns, weight, share, axis_name)
    return returned, scale, rewards.scaled(scale, played.reward)


def _see_more(
    config: ArenaTrainConfig,
    old: Statistics,
    played: Trajectory,
    weight: jax.Array,
    share: jax.Array,
    axis_name: str | None,
) -> Statistics:
    return seen_more(old, played.observation, weight, share, axis_name) if config.normalise_observations else old


def _remember(
    config: ArenaTrainConfig, cast: Cast, shared: Shared, sums: dict[str, Any], progress: jax.Array
) -> Shared:
    """How episodes went against past selves, and today's selves among them where it is time."""
    if config.opponents is None:
        return shared
    pools, outcomes = {}, {}
    for name, agent in shared.agents.items():
        mine = sums[name]
        seats = mine["seats"].astype(jnp.float32)
        outcomes[name] = pool.learn_outcomes(shared.outcomes[name], seats, mine["return"], mine["squared_return"])
        known = shared.pools[name]
        if (against := sums.get(f"loss/{name}")) is not None:
            known = pool.learn_losses(known, *against)
        pools[name] = pool.add(config.opponents, known, agent, progress, shared.update)
    return replace(shared, pools=pools, outcomes=outcomes)
