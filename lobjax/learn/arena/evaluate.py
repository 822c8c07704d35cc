"""Whether learned groups beat their baselines: both play the same episodes, all keys alike, beside the same others.

A group is compared in two fields: among the others as they learned, and among the others' baselines. Groups that did not learn play as in
training; where that was past selves, the agent whose selves they were. Nothing here draws by who plays, so differences are paired.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.arena import ArenaParams
from lobjax.arena.playing import rule_player
from lobjax.learn import devices
from lobjax.learn.arena.acting import Brain, Decided, decide
from lobjax.learn.arena.casting import Cast
from lobjax.learn.arena.config import ArenaTrainConfig
from lobjax.learn.arena.deciding import by_rule
from lobjax.learn.arena.state import Agent
from lobjax.learn.progress import phase
from lobjax.settings import key_of, settled, split_each

AMONG = ("learned", "rules")
MEASURES = ("profit_ticks", "return")
_BATCH = 256
Figures = dict[str, dict[str, np.ndarray]]  # by group, by measure: [episodes], means over seats


@settled
def play_fields(
    config: ArenaTrainConfig, cast: Cast, agents: Mapping[str, Agent]
) -> dict[str, dict[str, tuple[Figures, Figures]]]:
    """By group that learned and field of `AMONG`: what its agent did, and its baseline in its place."""
    names = list(cast.learners)
    casts: dict[tuple[bool, ...], Figures] = {}
    wanted = _wanted(names)
    different = list(dict.fromkeys(flags for pairs in wanted.values() for pair in pairs.values() for flags in pair))
    count = config.evaluation.episodes
    batch = min(count, _BATCH)
    numbers = {name: {"params": agent.params, "statistics": agent.statistics} for name, agent in agents.items()}
    frozen = {name: {"params": a.params, "statistics": a.statistics} for name, (_, a) in cast.saved.items()}
    episode_keys = jax.vmap(lambda at: jax.random.fold_in(key_of(config.evaluation.seed), at))
    arguments = (
        episode_keys(jnp.arange(batch)),
        jnp.zeros(len(names), bool),
        numbers,
        frozen,
        cast.arena.default_params,
    )
    with phase("compile"):
        play = devices.compile_init(_player(config, cast), *arguments, quick=config.compile == "quick")
    with phase("evaluate", len(different) * count, unit="episodes") as advance:
        for flags in different:
            parts = []
            for first in range(0, count, batch):
                keys = episode_keys(jnp.minimum(jnp.arange(first, first + batch), count - 1))
                found = jax.device_get(play(keys, jnp.asarray(flags), *arguments[2:]))
                many = min(batch, count - first)
                parts.append(jax.tree.map(lambda x, many=many: np.asarray(x[:many], np.float64), found))
                advance(many)
            casts[flags] = jax.tree.map(lambda *x: np.concatenate(x), *parts)
    return {
        name: {among: (casts[one], casts[other]) for among, (one, other) in pairs.items()}
        for name, pairs in wanted.items()
    }


def _wanted(names: list[str]) -> dict[str, dict[str, tuple[tuple[bool, ...], tuple[bool, ...]]]]:
    """By group and field: which groups their agents play, with the group's own and without."""
    found = {}
    for at, name in enumerate(names):
        found[name] = {}
        for among in AMONG if len(names) > 1 else AMONG[:1]:
            others = [among == "learned"] * len(names)
            found[name][among] = tuple(tuple([*others[:at], own, *others[at + 1 :]]) for own in (True, False))
    return found


def _player(config: ArenaTrainConfig, cast: Cast) -> Callable[..., Any]:
    """(keys [B], use bool[G], numbers of agents, of saved ones, of the arena) -> by group, by measure, f32[B]."""
    arena, names = cast.arena, list(cast.learners)
    sources = {name: name for name in names} | cast.pooled
    rules = cast.rules | {name: rule_player(arena, cast.group(name)) for name in sources}
    brains = {name: cast.brains[source] for name, source in sources.items()}
    brains |= {name: brain for name, (brain, _) in cast.saved.items()}

    def act(
        name: str, brain: Brain, own: Any, mode: bool, progress: float, keys: Any, carry: Any, seen: Any, reset: Any
    ) -> Any:
        one: Decided = decide(brain, own["params"], own["statistics"], jnp.float32(progress), keys, carry, seen, reset)
        return one.carry, brain.head.to_action(one.mode if mode else one.raw)

    def play(
        keys: jax.Array, use: jax.Array, numbers: Any, frozen: Any, params: ArenaParams
    ) -> dict[str, dict[str, jax.Array]]:
        reset_keys, play_keys, market_keys = split_each(keys, 3)
        observations, state = jax.vmap(arena.reset, in_axes=(0, None))(reset_keys, params)
        carries = {name: brain.initial_carry(keys.shape[0], cast.group(name).seats) for name, brain in brains.items()}
        paid = {group.name: jnp.zeros((keys.shape[0], group.seats), jnp.float32) for group in arena.groups}

        def one(carried: tuple[Any, Any, Any, Any], t: jax.Array) -> tuple[tuple[Any, Any, Any, Any], None]:
            observations, state, carries, paid = carried
            at_t = lambda keys: jax.vmap(jax.random.fold_in, in_axes=(0, None))(keys, t)  # noqa: E731
            deciding, carries, actions = at_t(play_keys), dict(carries), {}
            reset = jnp.broadcast_to(t == 0, keys.shape)
            for at, group in enumerate(arena.groups):
                name, seen = group.name, observations[group.name]
                mine = jax.vmap(jax.random.fold_in, in_axes=(0, None))(deciding, at)
                chosen, ruled = None, None
                if name in brains:
                    saved = cast.saved.get(name)
                    own = frozen[name] if saved else numbers[sources[name]]
                    mode = saved[1].deterministic if saved else config.evaluation.actions == "mode"
                    progress = saved[1].config.progress if saved else 1.0
                    carries[name], chosen = act(
                        name, brains[name], own, mode, progress, mine, carries[name], seen, reset
                    )
                if name in rules:
                    ruled = by_rule(rules[name], group, mine, seen, state, params)
                if chosen is None or ruled is None:
                    actions[name] = ruled if chosen is None else chosen
                else:
                    actions[name] = jnp.where(use[names.index(sources[name])], chosen, ruled)
            step = jax.vmap(arena.transition, in_axes=(0, 0, 0, None))(at_t(market_keys), state, actions, params)
            paid = {name: paid[name] + step[2][name] for name in paid}
            return (step[0], step[1], carries, paid), None

        steps = jnp.arange(arena.decisions, dtype=jnp.int32)
        (_, state, _, paid), _ = jax.lax.scan(one, (observations, state, carries, paid), steps)
        gains = {group.name: state.seats.gain[:, group.accounts[0] - 1 : group.accounts[-1]] for group in arena.groups}
        return {name: {"profit_ticks": gains[name].mean(axis=1), "return": paid[name].mean(axis=1)} for name in paid}

    return settled(play)
