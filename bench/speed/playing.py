"""A program that plays environments with a random policy: what `bench env` times."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from lobjax.env import Environment
from lobjax.results.metrics import MUST_NOT_HAPPEN


def rollout(environment: Environment, reset_by: str, envs: int, steps: int, decisions: int) -> Callable:
    """A function (key, params) that plays and gives ([envs] sums of rewards, and of all else; counts of what must not happen)."""
    reset = jax.vmap(environment.reset, in_axes=(0, None))
    advance = environment.step if reset_by == "step" else environment.transition
    step = jax.vmap(advance, in_axes=(0, 0, 0, None))
    sample = jax.vmap(environment.action_space.sample)

    def play(state: Any, key: jax.Array, params: Any, count: int) -> tuple[Any, tuple]:
        def one(carry: tuple, key: jax.Array) -> tuple[tuple, None]:
            state, rewards, seen, wrong = carry
            key_act, key_step = jax.random.split(key)
            action = sample(jax.random.split(key_act, envs))
            observation, state, reward, _, _, info = step(jax.random.split(key_step, envs), state, action, params)
            wrong = {name: jnp.maximum(wrong[name], info[name].max()) for name in MUST_NOT_HAPPEN}
            # Everything that a step gives is used, so that nothing of it is left out of the program.
            return (state, rewards + reward, seen + _sums((observation, info)), wrong), None

        none = jnp.zeros((envs,), jnp.float32)
        start = (state, none, none, dict.fromkeys(MUST_NOT_HAPPEN, jnp.int32(0)))
        (state, *rest), _ = jax.lax.scan(one, start, jax.random.split(key, count))
        return state, tuple(rest)

    def episode(key: jax.Array, params: Any, count: int) -> tuple:
        key_reset, key_play = jax.random.split(key)
        observation, state = reset(jax.random.split(key_reset, envs), params)
        state, (rewards, seen, wrong) = play(state, key_play, params, count)
        return rewards, seen + _sums((observation, state)), wrong

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
