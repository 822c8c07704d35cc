"""A program that plays environments with a random policy: what `bench env` and `bench snapshot` time."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from lobjax import playing
from lobjax.env import Environment
from lobjax.env.base import market_counts
from lobjax.playing import Standing, Turn
from lobjax.results.metrics import MUST_NOT_HAPPEN


def rollout(environment: Environment, reset_by: str, envs: int, steps: int, decisions: int) -> Callable:
    """A function (key, params) that plays and gives ([envs] sums of rewards, and of all else; counts of what must not happen)."""
    by_step = reset_by == "step"

    def keys(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        key_act, key_step = jax.random.split(key)
        return jax.random.split(key_act, envs), jax.random.split(key_step, envs)

    def add(made: Turn) -> tuple:
        rewards, seen, wrong = made.before.kept
        wrong = {name: jnp.maximum(most, made.info[name].max()) for name, most in wrong.items()}
        # Everything that a step gives is used, so that nothing of it is left out of the program.
        return rewards + made.reward, seen + _sums((made.observation, made.info)), wrong

    def begin(key: jax.Array, params: Any) -> Standing:
        opening = playing.begin(environment, params, jax.random.split(key, envs), ())
        none = jnp.zeros((envs,), jnp.float32)
        wrong = {name: jnp.int32(0) for name in MUST_NOT_HAPPEN if name in market_counts(opening.state.market)}
        return opening._replace(kept=(none, none, wrong))

    def episode(key: jax.Array, params: Any, count: int) -> tuple:
        key_reset, key_play = jax.random.split(key)
        opening = begin(key_reset, params)
        one = playing.turn(
            playing.at_random(environment),
            playing.acting(environment.step if by_step else environment.transition, params),
            keys,
            restart=(lambda made: (made.observation, made.state)) if by_step else None,  # `step` has done so
            keep=add,
        )
        last, _ = playing.play(one, opening, jax.random.split(key_play, count))
        rewards, seen, wrong = last.kept
        return rewards, seen + _sums((opening.observation, last.state)), wrong

    def episodes(key: jax.Array, params: Any) -> tuple:
        per_episode = jax.lax.map(
            lambda key: episode(key, params, decisions), jax.random.split(key, steps // decisions)
        )
        rewards, seen, wrong = per_episode
        return rewards.sum(0), seen.sum(0), jax.tree.map(jnp.max, wrong)

    return episodes if reset_by == "episode" else lambda key, params: episode(key, params, steps)


def _sums(tree: Any) -> jax.Array:
    """The sum of all leaves [envs, ...], float32 [envs]."""
    each = [leaf.reshape(leaf.shape[0], -1).astype(jnp.float32).sum(axis=1) for leaf in jax.tree.leaves(tree)]
    return jnp.stack(each).sum(axis=0)
