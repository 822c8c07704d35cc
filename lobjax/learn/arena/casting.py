"""Who plays which group of seats in a run: the policy that learns, past selves of it, a saved agent, or a rule."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from lobjax.arena import Arena, Group
from lobjax.arena.playing import Player, rule_player
from lobjax.errors import InputError
from lobjax.learn.arena.acting import Brain, brain_of, brain_of_saved
from lobjax.learn.arena.agents import load_agent
from lobjax.learn.arena.config import ArenaTrainConfig
from lobjax.learn.arena.groups import AgentPlay, GroupLearner, PoolPlay, RulePlay
from lobjax.policy import LoadedPolicy


@dataclass(frozen=True)
class Cast:
    """Static but for the numbers of saved agents."""

    arena: Arena
    learners: dict[str, GroupLearner]  # by group that learns
    brains: dict[str, Brain]  # likewise
    pooled: dict[str, str]  # groups that a pool plays in all environments, and whose pool
    saved: dict[str, tuple[Brain, LoadedPolicy]]  # groups that saved agents play
    rules: dict[str, Player]  # and that rules play
    begins: dict[str, LoadedPolicy]  # agents that groups go on from
    past_share: tuple[int, int]  # (k, n): of every n environments the first k play against past selves

    def group(self, name: str) -> Group:
        """By name."""
        return next(group for group in self.arena.groups if group.name == name)

    @property
    def replaced(self) -> tuple[str, ...]:
        """Groups that learn of which past selves play some seats in the share of environments that is for that."""
        return tuple(self.learners) if self.past_share[0] else ()

    @property
    def drawn(self) -> dict[str, str]:
        """Every group that past selves may play, and whose pool they come from."""
        return {name: name for name in self.replaced} | self.pooled

    def own(self, name: str, index: jax.Array) -> jax.Array:
        """Which seats of a group the policy plays that learns, bool[B, S], in environments of number `index` int32[B]."""
        seats, (many, period) = self.group(name).seats, self.past_share
        against = index % period < many
        learning = tuple(self.learners)
        if len(learning) == 1:
            mine = jnp.broadcast_to(jnp.arange(seats) == 0, (*index.shape, seats))
        else:
            turn = (index // period * many + index % period) % len(learning)
            mine = jnp.broadcast_to((turn == learning.index(name))[:, None], (*index.shape, seats))
        return mine | ~against[:, None]

    def against_past(self, tree: Any) -> Any:
        """Of leaves [B, ...] the environments that play against past selves; scalars as they are."""
        many, period = self.past_share

        def take(x: jax.Array) -> jax.Array:
            return x if x.ndim == 0 else x.reshape(-1, period, *x.shape[1:])[:, :many].reshape(-1, *x.shape[1:])

        return jax.tree.map(take, tree)

    def put_back(self, tree: Any, part: Any) -> Any:
        """The inverse: leaves [B, ...] with those environments replaced."""
        many, period = self.past_share

        def put(x: jax.Array, new: jax.Array) -> jax.Array:
            if x.ndim == 0:
                return new
            blocks = x.reshape(-1, period, *x.shape[1:])
            return blocks.at[:, :many].set(new.reshape(-1, many, *x.shape[1:])).reshape(x.shape)

        return jax.tree.map(put, tree, part)


def make_cast(config: ArenaTrainConfig, arena: Arena) -> Cast:
    """Who plays whom; InputError where an agent cannot be read, or does not fit the arena."""
    by_name = {group.name: group for group in arena.groups}
    learners = {learner.name: learner for learner in config.learn}
    sizes = {group.name: len(arena.observation_names(group)) for group in arena.groups}
    brains = {
        name: brain_of(learner, by_name[name], sizes[name], config.normalise_observations)
        for name, learner in learners.items()
    }
    plays = {entry.name: entry.play for entry in config.plays}
    pooled, saved, rules = {}, {}, {}
    for group in arena.groups:
        if group.name in learners:
            continue
        play = plays.get(group.name, RulePlay())
        if isinstance(play, PoolPlay):
            _check_alike(arena, by_name[play.pool], group)
            pooled[group.name] = play.pool
        elif isinstance(play, AgentPlay):
            agent = load_agent(play.agent, arena, group, deterministic=play.actions == "mode")
            saved[group.name] = brain_of_saved(agent.config), agent
        else:
            rules[group.name] = rule_player(arena, group, play.rule)
    begins = {
        name: _begin(learner, arena, by_name[name], config)
        for name, learner in learners.items()
        if learner.begin is not None
    }
    share = (0, 1) if config.opponents is None else config.opponents.of_period
    return Cast(arena, learners, brains, pooled, saved, rules, begins, share)


def _check_alike(arena: Arena, source: Group, group: Group) -> None:
    seen, theirs = arena.observation_names(group), arena.observation_names(source)
    if seen != theirs or group.role.action_space != source.role.action_space:
        raise InputError(
            f"config.plays.{group.name}.pool: '{source.name}' sees or chooses other things than '{group.name}'; give both the same role"
        )


def _begin(learner: GroupLearner, arena: Arena, group: Group, config: ArenaTrainConfig) -> LoadedPolicy:
    assert learner.begin is not None
    agent, where = load_agent(learner.begin, arena, group), f"config.learn.{learner.name}.begin"
    if agent.config.net != learner.net or agent.config.head != learner.head:
        raise InputError(f"{where}: {learner.begin} has another net or head; give the group the same")
    if agent.config.normalise_observations != config.normalise_observations:
        raise InputError(
            f"{where}: {learner.begin} has normalise_observations {agent.config.normalise_observations}; set it so"
        )
    return agent
