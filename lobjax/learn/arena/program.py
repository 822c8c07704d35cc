"""The state of a run in an arena, on its devices: what the loop of `lobjax.learn.loop` moves on."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import jax

from lobjax.arena import ROLES, Arena
from lobjax.learn.arena.casting import Cast
from lobjax.learn.arena.config import ArenaTrainConfig
from lobjax.learn.arena.learner import make_learner
from lobjax.learn.arena.state import Agent, Constants
from lobjax.learn.flax import Program
from lobjax.memory import Estimate, Part, tree_bytes
from lobjax.nets.size import describe
from lobjax.registry import kind_of
from lobjax.settings import key_of

TASK = "arena"
_COPIES = 3  # states of arenas that are there at once: inside of a step, after it, and what is scanned


class ArenaProgram(Program):
    """A `lobjax.learn.backend.RunState`."""

    task: str
    said: Sequence[str]

    def __init__(self, config: ArenaTrainConfig, cast: Cast) -> None:
        """InputError where the run needs more memory than there is."""
        frozen = {
            name: {"params": agent.params, "statistics": agent.statistics} for name, (_, agent) in cast.saved.items()
        }
        constants = Constants(cast.arena.default_params, frozen)
        needed = _memory(config, cast)
        needed.check("this run")
        super().__init__(config, make_learner(config, cast), constants, TASK)
        self.said = (*_sizes(config, cast), needed.describe())

    def metric_names(self) -> list[str]:
        """The scalars that every update reports; nothing is computed."""
        state = jax.eval_shape(self._fns.init, key_of(0), self._constants)
        return list(jax.eval_shape(self._fns.make_update(None), state, self._constants)[1]["scalars"])

    def agents(self) -> dict[str, Agent]:
        """By group that learns."""
        return self._now.shared.agents


def plays(config: ArenaTrainConfig, cast: Cast) -> dict[str, str]:
    """Who plays each group, in words."""
    found = {}
    for group in cast.arena.groups:
        name = group.name
        if name in cast.learners:
            found[name] = "learns"
        elif name in cast.pooled:
            found[name] = f"past selves of {cast.pooled[name]}"
        elif name in cast.saved:
            found[name] = "a saved agent"
        else:
            found[name] = f"the rule {_rule(config, name)}"
    return found


def _rule(config: ArenaTrainConfig, name: str) -> str:
    named = next((getattr(entry.play, "rule", None) for entry in config.plays if entry.name == name), None)
    return named or ROLES[kind_of(type(config.group(name).role))].baseline


def _sizes(config: ArenaTrainConfig, cast: Cast) -> list[str]:
    said = [f"market engine: {cast.arena.engine.engine} ({cast.arena.engine.reason})"]
    for name, who in plays(config, cast).items():
        group = cast.group(name)
        line = f"{name}: {group.seats} {'seat' if group.seats == 1 else 'seats'}, {who}"
        if name in cast.learners:
            learner, size = cast.learners[name], len(cast.arena.observation_names(group))
            line += f"; {describe(learner.net, size, cast.brains[name].head, config.rollout_length)}"
        said.append(line)
    return said


def _memory(config: ArenaTrainConfig, cast: Cast) -> Estimate:
    """From shapes alone."""
    arena: Arena = replace(cast.arena, warm_up_steps=0)  # which changes no shape
    observation, state = jax.eval_shape(arena.reset, key_of(0), arena.default_params)
    here = config.n_envs if jax.default_backend() == "cpu" else max(config.n_envs // config.devices, 1)
    each = tree_bytes((observation, state)) * (_COPIES + config.bank_size)
    seen = 3 * sum(
        4 * math.prod(observation[name].shape) for name in cast.learners
    )  # as played, as read, of a minibatch
    carry, weights = {}, {}
    for name, brain in cast.brains.items():
        seats = cast.group(name).seats
        carry[name] = jax.eval_shape(partial(brain.initial_carry, here, seats))
        weights[name] = jax.eval_shape(brain.init, key_of(0))
    copies = 5 + (
        0 if config.opponents is None else config.opponents.size
    )  # with moments and gradients, and past selves
    return Estimate({
        "arenas": Part(here * each, "lower n_envs, bank_size, arena.capacity or arena.max_messages"),
        "the rollout": Part(here * config.rollout_length * seen, "lower n_envs or rollout_length"),
        "the networks' memory": Part(3 * tree_bytes(carry), "lower n_envs, net.window, net.width or net.layers"),
        "parameters": Part(copies * tree_bytes(weights), "take a smaller network (net), or lower opponents.size"),
    })  # fmt: skip
