"""How networks act for the seats of a group: rows of seats in, actions out. A network knows no seats, so they are rows beside each other.

A seat's draw comes from its environment's key, its group and its place, never from how many seats or environments act beside it.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from lobjax.arena import Group
from lobjax.learn.arena.groups import GroupLearner
from lobjax.learn.arena.state import Pool
from lobjax.nets import Head, NetFns, make_net
from lobjax.nets.statistics import Statistics, normalise
from lobjax.policy import PolicyConfig, make_head


@dataclass(frozen=True)
class Brain:
    """A network and its head, as a group's seats use them. Static."""

    net: NetFns
    head: Head
    normalises: bool  # observations

    def init(self, key: jax.Array) -> dict[str, Any]:
        """New parameters."""
        return {"net": self.net.init(key), "head": self.head.init()}

    def initial_carry(self, n_envs: int, seats: int) -> Any:
        """Leaves [B, S, ...]."""
        return unfold(self.net.initial_carry(n_envs * seats), seats)

    def see(self, statistics: Statistics, observation: jax.Array) -> jax.Array:
        """An observation as the network reads it."""
        return normalise(statistics, observation) if self.normalises else observation


class Decided(NamedTuple):
    """What a network decided for seats [B, S]."""

    carry: Any
    raw: jax.Array  # [B, S, n], drawn
    mode: jax.Array  # likewise, not drawn
    log_prob: jax.Array  # f32[B, S]
    value: jax.Array  # f32[B, S]


def brain_of(learner: GroupLearner, group: Group, observation_size: int, normalises: bool) -> Brain:
    """Of a group that learns; InputError where head and action space do not belong together."""
    head = make_head(group.role.action_space, learner.head)
    return Brain(make_net(learner.net, observation_size, head), head, normalises)


def brain_of_saved(config: PolicyConfig) -> Brain:
    """Of a saved agent."""
    head = make_head(config.space, config.head)
    return Brain(make_net(config.net, config.observation_size, head), head, config.normalise_observations)


def fold(tree: Any) -> Any:
    """[B, S, ...] as [B S, ...]; scalars as they are."""
    return jax.tree.map(lambda x: x if x.ndim == 0 else x.reshape(-1, *x.shape[2:]), tree)


def unfold(tree: Any, seats: int) -> Any:
    """The inverse."""
    return jax.tree.map(lambda x: x if x.ndim == 0 else x.reshape(-1, seats, *x.shape[1:]), tree)


def seat_keys(keys: jax.Array, seats: int) -> jax.Array:
    """Keys [B S] of each seat, from its environment's `keys` [B]."""
    places = jnp.arange(seats, dtype=jnp.int32)
    return jax.vmap(lambda key: jax.vmap(jax.random.fold_in, in_axes=(None, 0))(key, places))(keys).reshape(-1)


def decide(
    brain: Brain, params: Any, statistics: Statistics, progress: jax.Array, keys: jax.Array, carry: Any, observation: jax.Array,
    reset: jax.Array,
) -> Decided:  # fmt: skip
    """Let a network play seats f32[B, S, D]; `keys` [B], `reset` bool[B]."""
    seats = observation.shape[1]
    rows = fold(observation), jnp.repeat(reset, seats)
    after, (outputs, value) = brain.net.step(params["net"], fold(carry), brain.see(statistics, rows[0]), rows[1])
    inputs = brain.head.inputs(params["head"], outputs, progress)
    raw = jax.vmap(brain.head.sample)(seat_keys(keys, seats), inputs)
    log_prob = brain.head.log_prob(inputs, raw)
    return Decided(unfold(after, seats), *(unfold(x, seats) for x in (raw, brain.head.mode(inputs), log_prob, value)))


def decide_past(
    brain: Brain, pool: Pool, place: jax.Array, keys: jax.Array, carry: Any, observation: jax.Array, reset: jax.Array
) -> tuple[Any, jax.Array]:
    """Let past selves play seats f32[B, S, D], in each environment the one at `place` int32[B]: (carry, raw actions [B, S, n]).

    All of the pool decide for all rows, and one is chosen: a pool is small, and products of matrices are cheaper than parameters for
    each row.
    """
    mine = jnp.arange(pool.added.shape[0], dtype=jnp.int32)[:, None] == place[None]  # [P, B]

    def choose(x: jax.Array) -> jax.Array:
        if x.ndim == 1:  # a scalar that all rows share, of every past self the same
            return x[0]
        return jnp.sum(jnp.where(mine.reshape(*mine.shape, *(1,) * (x.ndim - 2)), x, 0), axis=0, dtype=x.dtype)

    def one(past: Pool) -> tuple[Any, jax.Array]:
        decided = decide(brain, past.params, past.statistics, past.progress, keys, carry, observation, reset)
        return decided.carry, decided.raw

    return jax.tree.map(choose, jax.vmap(one)(pool))


def value_of(
    brain: Brain, params: Any, statistics: Statistics, carry: Any, observation: jax.Array, reset: jax.Array
) -> jax.Array:
    """What a network expects of seats f32[B, S, D], f32[B, S]."""
    seats = observation.shape[1]
    seen, rows = brain.see(statistics, fold(observation)), jnp.repeat(reset, seats)
    return unfold(brain.net.step(params["net"], fold(carry), seen, rows)[1][1], seats)
