"""An arena as a PettingZoo `ParallelEnv` (extra `pettingzoo`), NumPy in and out.

    env = ArenaParallelEnv("configs/arena/mixed.yaml")
    observations, infos = env.reset(seed=0)
    observations, rewards, terminations, truncations, infos = env.step({agent: env.action_space(agent).sample() for agent in env.agents})

Agents are seats, GROUP_0, GROUP_1 and so on; one that ended is told so once and then is no longer in `agents`. `infos[agent]` has its
figures so far and `action_mask`, what means something in its next action.
"""

import os
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np

from lobjax.arena.config import ArenaConfig, arena_config
from lobjax.arena.environment import Arena
from lobjax.arena.make import make_arena
from lobjax.arena.names import agent_names, by_agent, by_group, groups_by_agent
from lobjax.arena.state import ArenaParams
from lobjax.config import load_yaml
from lobjax.env.spaces import MultiDiscrete, Simplex
from lobjax.errors import InputError, nearest
from lobjax.settings import key_of, settled

try:
    from gymnasium import spaces
    from pettingzoo import ParallelEnv
except ImportError as error:
    raise InputError(f"pettingzoo 1.24 or newer is needed ({error}); pip install 'lobjax[pettingzoo]'") from None

_FIGURES = (
    "profit_ticks", "fees_ticks", "spread_captured_ticks", "maker_lots", "taker_lots", "messages", "submitted_lots", "drawdown_ticks",
    "peak_inventory_lots", "stopped",
)  # fmt: skip


class ArenaParallelEnv(ParallelEnv):
    """See the module's text. One episode after another of the same seed differ, and a seed gives the same ones again."""

    metadata = {"name": "lobjax_arena_v0", "render_modes": [], "is_parallelizable": True}  # noqa: RUF012 - PettingZoo's own form
    render_mode = None

    def __init__(
        self, config: str | Path | dict[str, Any] | ArenaConfig | Arena, params: ArenaParams | None = None
    ) -> None:
        """config: a YAML file, what is in one, a configuration, or an arena already made. InputError for a bad one."""
        self.arena = config if isinstance(config, Arena) else make_arena(_config_of(config))
        self.params = self.arena.default_params if params is None else params
        self.possible_agents = list(agent_names(self.arena))
        self.agents: list[str] = []
        self._groups = groups_by_agent(self.arena)
        self._rng = np.random.default_rng()
        most = np.finfo(np.float32).max
        self.observation_spaces = {
            name: spaces.Box(-most, most, (len(self.arena.observation_names(group)),), np.float32)
            for name, group in self._groups.items()
        }
        self.action_spaces = {name: _space(group.role.action_space) for name, group in self._groups.items()}

    def observation_space(self, agent: str) -> spaces.Space:
        """float32 `[D]`."""
        return self.observation_spaces[self._known(agent)]

    def action_space(self, agent: str) -> spaces.Space:
        """Of a role's choices, or shares from 0 to 1, which are scaled to sum to one."""
        return self.action_spaces[self._known(agent)]

    def reset(self, seed: int | None = None, options: dict | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """A new episode: (observations, infos). `seed` None: on from the last one. There are no options."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._key = _key(int(self._rng.integers(2**32)))
        observations, self._state, infos = jax.device_get(self._programs[0](self._key, self.params))
        self._step = 0
        self.agents = [name for name in self.possible_agents if self._is_active(name)]
        return self._mine(observations), self._mine(infos)

    def step(self, actions: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        """(observations, rewards, terminations, truncations, infos) of the agents that were there. InputError for a bad action."""
        if not self.agents:
            raise InputError("step: the episode is over, or has not begun; call reset()")
        decided = by_group(self.arena, {name: self._action(name, actions) for name in self.possible_agents}, np.stack)
        self._step += 1
        told = self._programs[1](self._key, self._step, self._state, decided, self.params)
        self._state, (observations, rewards, terminated, truncated, infos) = jax.device_get(told)
        ends, cut = ({name: bool(x) for name, x in self._mine(each).items()} for each in (terminated, truncated))
        rewards = {name: float(x) for name, x in self._mine(rewards).items()}
        found = self._mine(observations), rewards, ends, cut, self._mine(infos)
        self.agents = [name for name in self.agents if not (ends[name] or cut[name])]
        return found

    def render(self) -> None:
        """Nothing: `python -m lobjax arena demo` shows an arena."""

    def close(self) -> None:
        """Let go of the episode."""
        self.agents = []
        self._state = None

    @cached_property
    def _programs(self) -> tuple[Any, Any]:
        arena = self.arena

        def told(state: Any, info: dict[str, Any]) -> dict[str, Any]:
            masks = {}
            for at, (group, (sight, axes)) in enumerate(zip(arena.groups, arena.sights(state), strict=True)):
                of_seat = jax.vmap(group.role.act_mask, in_axes=(0, axes, None))
                masks[group.name] = of_seat(state.roles[at], sight, self.params.roles[at])
            infos = {name: {"action_mask": mask} for name, mask in by_agent(arena, masks).items()}
            for at, name in enumerate(self.possible_agents):
                infos[name] |= {figure: info[figure][at] for figure in _FIGURES if figure in info}
            return infos

        def reset(key: jax.Array, params: ArenaParams) -> Any:
            observations, state = arena.reset(jax.random.fold_in(key, 0), params)
            return by_agent(arena, observations), state, told(state, {})

        def step(key: jax.Array, number: int, state: Any, actions: Any, params: ArenaParams) -> Any:
            seen, state, rewards, ends, cut, info = arena.transition(
                jax.random.fold_in(key, number), state, actions, params
            )
            by_name = (by_agent(arena, each) for each in (seen, rewards, ends, cut))
            return state, (*by_name, told(state, info))

        return settled(jax.jit(reset)), settled(jax.jit(step))

    def _action(self, name: str, actions: dict[str, Any]) -> np.ndarray:
        """An agent's action as the arena takes it; who is out does nothing, and is not read."""
        role, space = self._groups[name].role, self.action_spaces[name]
        if name not in self.agents:
            return _idle(role)
        if name not in actions:
            raise InputError(f"step: no action of '{name}'; give one of every agent in `agents`")
        action = np.asarray(actions[name], space.dtype)
        if not space.contains(action):
            raise InputError(f"step: the action of '{name}' is not in {space}")
        if isinstance(role.action_space, MultiDiscrete):
            return action.astype(np.int32)
        total = action.sum()
        return (action / total if total > 0 else np.full_like(action, 1 / len(action))).astype(np.float32)

    def _mine(self, by_name: dict[str, Any]) -> dict[str, Any]:
        return {name: by_name[name] for name in self.agents}

    def _is_active(self, name: str) -> bool:
        return bool(self.params.seats.active[self.possible_agents.index(name)])

    def _known(self, agent: str) -> str:
        if agent not in self._groups:
            raise InputError(f"no agent '{agent}'; {nearest(agent, self._groups)}")
        return agent


@settled
def _key(seed: int) -> jax.Array:
    return key_of(seed)


def _config_of(config: str | Path | dict[str, Any] | ArenaConfig) -> ArenaConfig:
    if isinstance(config, (str, os.PathLike)):
        return arena_config(load_yaml(Path(config)), str(config))
    return config if isinstance(config, ArenaConfig) else arena_config(config)


def _space(space: Simplex | MultiDiscrete) -> spaces.Space:
    if isinstance(space, MultiDiscrete):
        return spaces.MultiDiscrete(list(space.nvec))
    return spaces.Box(0.0, 1.0, (space.n,), np.float32)


def _idle(role: Any) -> np.ndarray:
    if isinstance(role.action_space, MultiDiscrete):
        return np.asarray(role.idle, np.int32)
    return np.eye(role.action_space.n, dtype=np.float32)[role.idle]
