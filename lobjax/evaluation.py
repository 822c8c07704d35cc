"""Playing policies and strategies over the same episodes.

Common random numbers: episode `i` opens from the same key (or the same recorded start) and every step of it draws the same words, whoever
plays, so that differences between players are paired and their noise cancels.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.env import Environment, EnvParams, EnvState
from lobjax.players import Player, first_memory, is_policy
from lobjax.playing import Turn, begin, deciding, play, sending, turn
from lobjax.ranges import Range, Seed, check
from lobjax.settings import key_of, narrowed, settled, split_each

Watch = Callable[[EnvState], dict[str, jax.Array]]
OnBatch = Callable[[int], None]
MOST_EPISODES = 1 << 24  # of one player
MOST_BATCH = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Episodes:
    """Which episodes to play: `count` of them from `seed`, in batches. With `starts`, episode `i` takes the numbered start `i`.

    `stops`: the market stands still where an episode has ended, which saves its time, rather than to go on until the last decision.
    """

    count: Annotated[int, Range(1, MOST_EPISODES)]
    seed: Seed
    starts: bool = False
    stops: bool = False
    batch: Annotated[int, Range(1, MOST_BATCH)] = 1024

    def __post_init__(self) -> None:
        check(self)


class Played(NamedTuple):
    """What a player did in n episodes: arrays of NumPy, once they are played."""

    final: dict[str, Any]  # each scalar of the final `info`, [n]
    path: dict[str, Any]  # what was watched, [n, decisions + 1], from the opening on


def nothing(state: EnvState) -> dict[str, jax.Array]:
    """Watch nothing."""
    return {}


class Evaluator:
    """One environment and the episodes to be played in it; strategies of one class share a compiled program."""

    def __init__(self, env: Environment, params: EnvParams, episodes: Episodes, watch: Watch = nothing) -> None:
        self.episodes = episodes
        # (player, params, numbers of episodes [B]) -> Played, pure: for those who compile and time it by themselves.
        self.batch = lambda player, params, index: _play(env, params, player, episodes, watch, index)
        self._by_rule = jax.jit(self.batch)
        self._params = params

    @settled
    def play(self, player: Player, on_batch: OnBatch = lambda done: None) -> Played:
        """Play every episode to its end. `on_batch` is told how many episodes are done."""
        count, batch = self.episodes.count, min(self.episodes.batch, self.episodes.count)
        run = jax.jit(partial(self.batch, player)) if is_policy(player) else partial(self._by_rule, player)
        parts = []
        for first in range(0, count, batch):  # a last partial batch plays a few more, to keep one shape
            index = jnp.arange(first, first + batch, dtype=jnp.int32)
            parts.append(jax.tree.map(np.asarray, run(self._params, index)))
            on_batch(min(first + batch, count))
        return jax.tree.map(lambda *arrays: np.concatenate(arrays)[:count], *parts)


def play_episodes(
    env: Environment, params: EnvParams, player: Player, episodes: Episodes, on_batch: OnBatch = lambda done: None
) -> dict[str, np.ndarray]:
    """Play every episode to its end; returns each scalar of the final `info` as `[count]`."""
    return Evaluator(env, params, episodes).play(player, on_batch).final


def episode_keys(episodes: Episodes, index: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Keys `[B]` of episodes `index` `[B]`: to open, for the market's steps, for the player's own draws."""
    seed = key_of(episodes.seed)
    keys = jax.vmap(lambda i: jax.random.fold_in(seed, i))(index)
    opening, steps, acts = split_each(keys, 3)
    return opening, steps, acts


def step_keys(steps: jax.Array, acts: jax.Array, step: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Keys `[B]` of one decision, and of the market's step after it."""
    fold = jax.vmap(lambda key: jax.random.fold_in(key, step))
    return fold(acts), fold(steps)


@settled
def _play(
    env: Environment, params: EnvParams, player: Player, episodes: Episodes, watch: Watch, index: jax.Array
) -> Played:
    """Episodes `index` [B] side by side."""
    params = narrowed(params)
    n = index.shape[0]
    key_open, key_steps, key_acts = episode_keys(episodes, index)
    opening = begin(env, params, key_open, first_memory(player, n), index if episodes.starts else None)
    watched = jax.vmap(watch)
    one = turn(
        deciding(env, params, player),
        sending(env, params, stops=episodes.stops),
        partial(step_keys, key_steps, key_acts),
        keep=_last_info,
        record=lambda made: watched(made.state),
    )
    opening = opening._replace(kept=_blank_info(env, params, opening.state, n))
    standing, path = play(one, opening, jnp.arange(env.decisions, dtype=jnp.int32))
    first = watched(opening.state)
    return Played(standing.kept, {name: jnp.concatenate([first[name][None], path[name]]).T for name in path})


def scalars(info: dict[str, jax.Array]) -> dict[str, jax.Array]:
    """What `info` holds of each environment, `[B]`, as one number."""
    return {name: value for name, value in info.items() if value.ndim == 1}


def _last_info(made: Turn) -> dict[str, jax.Array]:
    """The scalars of `info`, those of the last step in an episode that has ended."""
    over, kept = made.before.ended > 0, made.before.kept
    return jax.tree.map(lambda old, new: jnp.where(over, old, new), kept, scalars(made.info))


def _blank_info(env: Environment, params: EnvParams, state: EnvState, n: int) -> dict[str, jax.Array]:
    """Zeros in the shapes of a step's scalars, so that the first step is compiled with the others."""

    def one(state: EnvState) -> dict[str, jax.Array]:
        return env.play(key_of(0), state, env.no_orders(state, params), params)[-1]

    shapes = jax.eval_shape(one, jax.tree.map(lambda x: x[0], state))
    return {name: jnp.zeros((n,), leaf.dtype) for name, leaf in shapes.items() if leaf.shape == ()}
