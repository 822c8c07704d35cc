"""One update of a torch agent: play, estimate advantages, learn, report; `lobjax.learn.learner` with the network in torch."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import torch

from lobjax.learn import collapse, ppo, rewards
from lobjax.learn.backend import Report
from lobjax.learn.config import TrainConfig
from lobjax.learn.rollout import Local
from lobjax.learn.torch import ppo as torch_ppo
from lobjax.learn.torch.group import Group
from lobjax.learn.torch.rollout import Trajectory, collect, compile_environments
from lobjax.nets import Head, make_net
from lobjax.nets.statistics import Statistics, merge, unit_statistics
from lobjax.settings import key_of, settled
from lobjax.torch_port.agent import Agent, make_agent
from lobjax.torch_port.attention import Cache
from lobjax.torch_port.crossing import to_jax, to_torch
from lobjax.torch_port.factory import Layers


@dataclass
class TorchState:
    """All that a run is at one moment on one process; changed in place by `update`."""

    agent: Agent
    optimiser: torch.optim.Adam
    statistics: Statistics
    key: jax.Array  # key[], constant: minibatches derive from it and the update
    update: int  # updates done
    local: Local  # the environments; its carry is ()
    cache: Cache  # the network's memory of them
    returns: Statistics | None = None  # of discounted returns, where rewards are normalised


class TorchFns(NamedTuple):
    """A learner as functions: init() -> state; update(state) -> report, which moves the state on in place."""

    init: Callable[[], TorchState]
    update: Callable[[TorchState], Report]


def make_torch_learner(
    config: TrainConfig, env: Any, head: Head, group: Group, layers: Layers | None = None, compiled: bool = False
) -> TorchFns:
    """The learner of one run. It begins at the weights at which Flax's would begin. `compiled`: torch.compile for the update."""
    part = group.part(config.n_envs)
    environments = compile_environments(config, env, head, part)
    # One object for all updates: DistributedDataParallel and torch.compile keep what they learned of the agent.
    wrapped: list[Any] = []

    @jax.jit
    @settled
    def order(key: jax.Array, update: Any, index: jax.Array) -> jax.Array:
        key = jax.random.fold_in(key, update)
        return ppo.minibatch_indices(key, index, config.algorithm.epochs, config.algorithm.minibatches)

    @settled
    def init() -> TorchState:
        params_key, env_key, own_key = jax.random.split(key_of(config.seed), 3)
        agent = make_agent(config.net, env.observation_size, head, layers)
        net = jax.jit(make_net(config.net, env.observation_size, head).init)(params_key)
        agent.load_params({"net": jax.device_get(net), "head": jax.device_get(head.init())})
        agent.to(group.device)
        n_envs = part.stop - part.start
        return TorchState(
            agent=agent,
            optimiser=torch_ppo.make_optimiser(config.algorithm, agent),
            statistics=unit_statistics(env.observation_size),
            key=own_key,
            update=0,
            local=environments.start(env_key),
            cache=agent.net.initial_carry(n_envs),
            returns=rewards.unit_scale() if config.normalise_rewards else None,
        )

    def update(state: TorchState) -> Report:
        agent, before = state.agent, state.cache
        if not wrapped:
            wrapped.append(group.wrap(torch.compile(agent) if compiled else agent))  # type: ignore[arg-type]
        progress = state.update / max(config.n_updates - 1, 1)
        agent.eval()
        state.local, state.cache, played, sums = collect(
            config,
            environments,
            agent.net,
            agent.head.params(),
            state.statistics,
            progress,
            state.local,
            before,
            state.update,
        )
        agent.train()
        broken = [n for n in ("observation", "reward", "value") if not getattr(played, n).isfinite().all()]
        batch = _batch(config, played, _rewards(config, state, played, group), before, group)
        chosen = to_torch(order(state.key, state.update, state.local.index), group.device).long()
        metrics, infinite = torch_ppo.optimise(
            config.algorithm, agent, wrapped[0], state.optimiser, batch, chosen, progress, group
        )
        state.statistics = _see_more(config, state.statistics, played.observation, group)
        state.update += 1
        scalars = metrics | _describe(played, batch.target, sums, group)
        scalars["learning_rate"] = torch_ppo.learning_rate(config.algorithm, progress)
        if state.returns is not None:
            scalars["rollout/return_deviation"] = float(jnp.sqrt(state.returns.variance))
        raw = jnp.asarray(played.raw_action.cpu().numpy())
        habits = collapse.habits(getattr(env, "idle", None), head.to_action(raw))
        scalars |= {k: float(group.mean(to_torch(x, group.device))) for k, x in habits.scalars.items()}
        vectors = head.summary(raw) | habits.vectors
        shared = {f"action/{k}": group.mean(to_torch(x, group.device)).cpu().numpy() for k, x in vectors.items()}
        return Report(scalars, shared, broken + infinite)

    return TorchFns(init, update)


@jax.jit
@settled
def _discounted(so_far: jax.Array, r_t: jax.Array, done: jax.Array, discount: Any) -> tuple[jax.Array, jax.Array]:
    return rewards.discounted(so_far, r_t, done, discount)


def _rewards(config: TrainConfig, state: TorchState, played: Trajectory, group: Group) -> torch.Tensor:
    """Rewards to learn from, by the deviation of all returns up to and with these; the state remembers them."""
    if state.returns is None:
        return played.reward
    r_t, done = to_jax(played.reward), to_jax(played.terminated | played.truncated)
    returned, returns = _discounted(state.local.returned, r_t, done, jnp.float32(config.algorithm.discount))
    state.local = replace(state.local, returned=returned)
    state.returns = _merged(config, state.returns, _moments(to_torch(returns, group.device), group))
    return to_torch(rewards.scaled(state.returns, r_t), group.device)


def _batch(
    config: TrainConfig, played: Trajectory, reward: torch.Tensor, cache: Cache, group: Group
) -> torch_ppo.Batch:
    own = config.algorithm
    advantage = torch_ppo.gae(
        reward,
        played.value,
        played.next_value,
        played.terminated,
        played.truncated,
        own.discount,
        own.trace_decay,
    )
    target = advantage + played.value
    if own.normalise_advantages:
        mean, variance = _moments(advantage, group)
        advantage = (advantage - mean) / (variance.sqrt() + 1e-8)
    parts = played.seen, played.reset, played.raw_action, played.log_prob, played.value, advantage, target
    return torch_ppo.Batch(cache, *parts)


def _moments(x: torch.Tensor, group: Group, dim: tuple[int, ...] | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance over `dim` (None: all) and over processes, in two passes."""
    mean = group.mean(x.mean(dim=dim))
    return mean, group.mean(((x - mean) ** 2).mean(dim=dim))


def _see_more(config: TrainConfig, old: Statistics, observation: torch.Tensor, group: Group) -> Statistics:
    if not config.normalise_observations:
        return old
    return _merged(config, old, _moments(observation, group, (0, 1)))


def _merged(config: TrainConfig, old: Statistics, moments: tuple[torch.Tensor, torch.Tensor]) -> Statistics:
    mean, variance = (jnp.asarray(x.cpu().numpy()) for x in moments)
    return merge(old, Statistics(count=jnp.float32(config.batch_size), mean=mean, variance=variance))


def _describe(played: Trajectory, target: torch.Tensor, sums: dict[str, Any], group: Group) -> dict[str, float]:
    """Metrics of what was played, under the names that `lobjax.learn.learner` gives them."""
    unexplained, spread = (float(_moments(x, group)[1]) for x in (target - played.value, target))
    floats = {name: jnp.issubdtype(x.dtype, jnp.floating) or name == "episode_length" for name, x in sums.items()}
    totals = {k: float(group.total(torch.tensor(np.float64(x), device=group.device))) for k, x in sums.items()}
    count = totals.pop("count")
    episodes = {k: x / max(count, 1) if floats[k] else x for k, x in totals.items()}
    return {f"episode/{k.removeprefix('episode_')}": x for k, x in episodes.items()} | {
        "episode/count": count,
        "rollout/reward": float(group.mean(played.reward.mean())),
        "rollout/value": float(group.mean(played.value.mean())),
        "value/explained_variance": 1 - unexplained / spread if spread > 1e-8 else 0.0,
    }
