"""Playing policies and strategies over the same episodes, and what may be said of the results.

Common random numbers: episode `i` opens from the same key (or the same recorded start) and every step of it draws the same words, whoever
plays, so that differences between players are paired and their noise cancels.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from lobjax.env import Environment, EnvParams, EnvState
from lobjax.policy import Policy
from lobjax.strategies import Strategy

Player = Policy | Strategy


class Interval(NamedTuple):
    """A mean of n episodes with its 95% interval (Student's t), and the standard deviation over episodes."""

    mean: float
    low: float
    high: float
    std: float
    n: int


def interval(values: np.ndarray, confidence: float = 0.95) -> Interval:
    """The mean of independent `values` [n] with its interval; the interval is infinite for n = 1."""
    values = np.asarray(values, np.float64)
    n = len(values)
    std = float(values.std(ddof=1)) if n > 1 else float("inf")
    half = float(stats.t.ppf(0.5 + confidence / 2, n - 1) * std / np.sqrt(n)) if n > 1 else float("inf")
    mean = float(values.mean())
    return Interval(mean, mean - half, mean + half, std, n)


@dataclass(frozen=True, kw_only=True)
class Episodes:
    """Which episodes to play: `count` of them from `seed`, in batches. With `starts`, episode `i` takes the numbered start `i`."""

    count: int
    seed: int
    starts: bool = False
    batch: int = 1024


def play_episodes(
    env: Environment,
    params: EnvParams,
    player: Player,
    episodes: Episodes,
    on_batch: Callable[[int], None] = lambda done: None,
) -> dict[str, np.ndarray]:
    """Play every episode to its end; returns each scalar of the final `info` as `[count]`.

    `on_batch` is told how many episodes are done.
    """
    batch = min(episodes.batch, episodes.count)
    play = jax.jit(lambda params, index: _play(env, params, player, episodes, index)[0])
    parts = []
    for first in range(0, episodes.count, batch):
        index = jnp.arange(
            first, first + batch, dtype=jnp.int32
        )  # a last partial batch plays a few more, to keep one shape
        parts.append(jax.tree.map(np.asarray, play(params, index)))
        on_batch(min(first + batch, episodes.count))
    return {name: np.concatenate([part[name] for part in parts])[: episodes.count] for name in parts[0]}


def trace_episode(
    env: Environment, params: EnvParams, player: Player, episodes: Episodes, index: int
) -> tuple[dict[str, np.ndarray], EnvState]:
    """Play episode `index` alone; returns each scalar of `info` by decision `[T]`, and the states `[T, ...]` after each."""
    play = jax.jit(lambda params, index: _play(env, params, player, episodes, index)[1])
    infos, states = play(params, jnp.full((1,), index, jnp.int32))
    return {name: np.asarray(value)[:, 0] for name, value in infos.items()}, jax.tree.map(lambda x: x[:, 0], states)


def _play(env: Environment, params: EnvParams, player: Player, episodes: Episodes, index: jax.Array):
    """Episodes `index` [B] side by side: (final figures [B], (figures [T, B], states [T, B, ...]))."""
    n = index.shape[0]
    root = jax.random.key(episodes.seed)
    keys = jax.vmap(lambda i: jax.random.fold_in(root, i))(index)
    key_open, key_steps, key_acts = jnp.moveaxis(jax.vmap(partial(jax.random.split, num=3))(keys), 1, 0)
    start = index if episodes.starts else None
    reset = jax.vmap(env.reset, in_axes=(0, None, None if start is None else 0))
    observation, state = reset(key_open, params, start)
    decide = _decider(env, params, player)

    def one(carry, step: jax.Array):
        memory, observation, state, done, final = carry
        fold = jax.vmap(lambda key: jax.random.fold_in(key, step))
        first = jnp.full((n,), step == 0)
        memory, task, orders = decide(fold(key_acts), memory, observation, first, state)
        played = jax.vmap(env.play, in_axes=(0, 0, 0, None))(fold(key_steps), state.replace(task=task), orders, params)
        observation, state, _, terminated, truncated, info = played
        info = {name: value for name, value in info.items() if value.ndim == 1}
        final = info if final is None else jax.tree.map(lambda old, new: jnp.where(done, old, new), final, info)
        return (memory, observation, state, done | terminated | truncated, final), (info, state)

    memory = player.initial_carry(n) if _is_policy(player) else ()
    carry, first_step = one((memory, observation, state, jnp.zeros((n,), bool), None), jnp.int32(0))
    carry, rest = jax.lax.scan(one, carry, jnp.arange(1, env.decisions))
    steps = jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), first_step, rest)
    return carry[-1], steps


def _is_policy(player: Player) -> bool:
    return hasattr(player, "act")


def _decider(env: Environment, params: EnvParams, player: Player):
    """(keys, memory, observation, first, state) -> (memory, task states, orders), batched, for either kind of player."""

    def by_rule(keys, memory, observation, first, state):
        return memory, *jax.vmap(player.decide, in_axes=(None, 0, None))(env, state, params)

    def by_policy(keys, memory, observation, first, state):
        memory, action = player.act(keys[0], memory, observation, first)
        return memory, *jax.vmap(env.task.act, in_axes=(0, 0, 0, None))(state.task, state.market, action, params.task)

    return by_policy if _is_policy(player) else by_rule
