"""Small environments of every task and flow, for tests."""

import functools

import jax
import numpy as np

from lobjax.flow import PoissonConfig
from lobjax.tasks import EnvConfig, ExecutionConfig, MakingConfig, MarketConfig, make

TASKS = {
    "execution": ExecutionConfig(lots=12, decisions=4, step_s=4.0),
    "market_making": MakingConfig(decisions=4, step_s=2.0, quote_lots=3, inventory_limit_lots=6),
}


@functools.cache
def simulated(task, *, engine="auto", **market):
    """An environment in a Poisson market with a short warm-up."""
    market = MarketConfig(**{"capacity": 64, "max_messages": 96, "engine": engine, **market})
    return make(
        EnvConfig(task=TASKS[task] if isinstance(task, str) else task, flow=PoissonConfig(warm_up_s=4.0), market=market)
    )


@functools.cache
def _programs(env, jit):
    """(reset, step) of a batch, compiled once for all tests of an environment."""
    return jit(jax.vmap(env.reset, in_axes=(0, None))), jit(jax.vmap(env.step, in_axes=(0, 0, 0, None)))


def trajectory(env, n, steps, *, seed=0, jit=jax.jit):
    """Play `steps` random actions in `n` environments; returns (observations, rewards, done, infos) stacked by step."""
    reset, step = _programs(env, jit)
    sample = jax.vmap(env.action_space.sample)
    key_reset, key_steps, key_acts = jax.random.split(jax.random.key(seed), 3)
    observation, state = reset(jax.random.split(key_reset, n), env.default_params)
    rows = [(observation, np.zeros(n), np.zeros(n, bool), {})]
    for t in range(steps):
        action = sample(jax.random.split(jax.random.fold_in(key_acts, t), n))
        keys = jax.random.split(jax.random.fold_in(key_steps, t), n)
        observation, state, reward, terminated, truncated, info = step(keys, state, action, env.default_params)
        rows.append((observation, reward, terminated | truncated, info))
    return state, [jax.tree.map(np.asarray, row) for row in rows]
