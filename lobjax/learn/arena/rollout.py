"""Playing: arenas and all who sit in them step together for one rollout.

Everything random derives from a key for each environment and from counts, as in `lobjax.learn.rollout`, so a trajectory does not depend on
how many environments or devices play beside it. Episodes that end go on from a bank of starts; past selves are then drawn afresh.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from lobjax.learn.arena.acting import value_of
from lobjax.learn.arena.casting import Cast
from lobjax.learn.arena.config import ArenaTrainConfig
from lobjax.learn.arena.deciding import decide_all, draw_past
from lobjax.learn.arena.episodes import seats_of, sums_of
from lobjax.learn.arena.state import Constants, Local, Shared
from lobjax.learn.bank import fill_bank, restart
from lobjax.settings import split_each

_DRAWS = 1 << 20  # beyond the steps of a rollout: what the draws of past selves are folded with


class Trajectory(NamedTuple):
    """What the seats of a group that learns played; all arrays are [T, B, S, ...]."""

    observation: jax.Array  # as the arena gave it
    reset: jax.Array
    raw_action: jax.Array
    log_prob: jax.Array
    value: jax.Array
    next_value: jax.Array  # of the next observation in the same episode, the final one included
    reward: jax.Array
    terminated: jax.Array
    truncated: jax.Array
    done: jax.Array  # the arena's episode ended, for every seat
    acts: jax.Array  # whether the seat decided
    own: jax.Array  # whether the policy that learns played it


def start(config: ArenaTrainConfig, cast: Cast, shared: Shared, constants: Constants, key: jax.Array) -> Local:
    """All arenas of a run at the start of their first episodes."""
    index = jnp.arange(config.n_envs, dtype=jnp.int32)
    keys = jax.vmap(jax.random.fold_in, in_axes=(None, 0))(key, index)
    reset_keys, own_keys = split_each(keys)
    observation, state = jax.vmap(cast.arena.reset, in_axes=(0, None))(reset_keys, constants.arena)
    brains = cast.brains | {name: brain for name, (brain, _) in cast.saved.items()}
    carry = {name: brain.initial_carry(config.n_envs, cast.group(name).seats) for name, brain in brains.items()}
    past = {
        name: cast.brains[source].initial_carry(config.n_envs, cast.group(name).seats)
        for name, source in cast.drawn.items()
    }
    nothing = {name: jnp.zeros((config.n_envs, cast.group(name).seats), jnp.float32) for name in cast.learners}
    draws = jax.vmap(jax.random.fold_in, in_axes=(0, None))(own_keys, _DRAWS)
    return Local(
        index=index, key=own_keys, state=state, observation=observation, reset=jnp.ones(config.n_envs, bool), carry=carry, past_carry=past,
        drawn=draw_past(config, cast, shared, draws), paid=nothing, returned=dict(nothing) if config.normalise_rewards else {},
    )  # fmt: skip


def collect(
    config: ArenaTrainConfig, cast: Cast, shared: Shared, constants: Constants, local: Local, progress: jax.Array
) -> tuple[Local, dict[str, Trajectory], dict[str, Any]]:
    """Play `rollout_length` decisions. Returns where things stand, what groups that learn played, and sums over episodes that ended.

    The sums: "count" of episodes; by group its own of `episodes.FIGURES` and the like; "loss/GROUP" f32[2, P], how many episodes were
    played against each of the group's past selves, and the learners' losses in them.
    """
    arena = cast.arena
    keys = jax.vmap(jax.random.fold_in, in_axes=(0, None))(local.key, shared.update)
    bank_keys, step_keys = split_each(keys)
    bank = fill_bank(config.bank_size, arena, constants.arena, bank_keys)
    own = {name: cast.own(name, local.index) for name in cast.learners}

    def play(carried: tuple[Local, jax.Array], t: jax.Array) -> tuple[tuple[Local, jax.Array], Any]:
        local, endings = carried
        keys = jax.vmap(jax.random.fold_in, in_axes=(0, None))(step_keys, t)
        action_keys, arena_keys, draw_keys = split_each(keys, 3)
        acts = jax.vmap(arena.acts, in_axes=(0, None))(local.state, constants.arena)
        carry, past_carry, actions, decided = decide_all(cast, shared, constants, local, own, action_keys, progress)
        seen, state, rewards, terminated, truncated, info = jax.vmap(arena.transition, in_axes=(0, 0, 0, None))(
            arena_keys, local.state, actions, constants.arena
        )
        done = info["done"]
        steps, paid = {}, {}
        for name, one in decided.items():
            final = _final_value(cast, shared, name, carry[name], seen[name], truncated[name])
            here = lambda x, shape=one.value.shape: jnp.broadcast_to(x[:, None], shape)  # noqa: E731
            steps[name] = Trajectory(
                observation=local.observation[name], reset=here(local.reset), raw_action=one.raw, log_prob=one.log_prob, value=one.value,
                next_value=final, reward=rewards[name], terminated=terminated[name], truncated=truncated[name], done=here(done),
                acts=acts[:, seats_of(cast.group(name))], own=own[name],
            )  # fmt: skip
            paid[name] = local.paid[name] + rewards[name]
        sums = sums_of(cast, shared, own, paid, local.drawn, done, info)
        observation, state = restart(bank, endings, done, (seen, state))
        drawn = {
            name: jnp.where(done, new, local.drawn[name])
            for name, new in draw_past(config, cast, shared, draw_keys).items()
        }
        paid = {name: jnp.where(done[:, None], 0.0, x) for name, x in paid.items()}
        local = replace(
            local,
            state=state,
            observation=observation,
            reset=done,
            carry=carry,
            past_carry=past_carry,
            drawn=drawn,
            paid=paid,
        )
        return (local, endings + done.astype(jnp.int32)), (steps, sums)

    endings = jnp.zeros(local.index.shape, jnp.int32)
    steps = jnp.arange(config.rollout_length, dtype=jnp.int32)
    (local, _), (played, sums) = jax.lax.scan(play, (local, endings), steps)
    for name, one in played.items():
        agent = shared.agents[name]
        last = value_of(
            cast.brains[name], agent.params, agent.statistics, local.carry[name], local.observation[name], local.reset
        )
        following = jnp.concatenate([one.value[1:], last[None]])
        played[name] = one._replace(next_value=jnp.where(one.truncated, one.next_value, following))
    return local, played, jax.tree.map(lambda x: x.sum(axis=0, dtype=x.dtype), sums)


def _final_value(cast: Cast, shared: Shared, name: str, carry: Any, seen: jax.Array, truncated: jax.Array) -> jax.Array:
    """Values of final observations, where any seat was cut short; computed only then."""
    agent = shared.agents[name]
    return jax.lax.cond(
        jnp.any(truncated),
        lambda: value_of(
            cast.brains[name], agent.params, agent.statistics, carry, seen, jnp.zeros(seen.shape[:1], bool)
        ),
        lambda: jnp.zeros(truncated.shape, jnp.float32),
    )
