"""An arena with the contract of JaxMARL's `MultiAgentEnv`: dicts by agent, `dones["__all__"]`, `get_avail_actions`; pure, `vmap` it.

    env = ArenaMARL(make_arena(arena_config("..."))))
    observations, state = env.reset(key)
    observations, state, rewards, dones, infos = env.step(key, state, actions)

JaxMARL itself is not needed. What its contract has no place for is in `infos`: `terminated` and `truncated` of each agent, and
`final_observation`, what it saw as the episode ended (`step` gives back observations of a new one then). Beside them are the arena's
figures, `[agents]` or `[venues]` each.
"""

from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.arena.environment import Arena
from lobjax.arena.names import agent_names, by_agent, by_group, groups_by_agent
from lobjax.arena.state import ArenaParams, ArenaState
from lobjax.env.spaces import MultiDiscrete, Simplex
from lobjax.settings import drawing


@dataclass(frozen=True)
class Discrete:
    """One of n choices, int32."""

    n: int
    shape: tuple[int, ...] = ()
    dtype: Any = jnp.int32

    @drawing
    def sample(self, key: jax.Array) -> jax.Array:
        """Uniform."""
        return jax.random.randint(key, (), 0, self.n, jnp.int32)

    def contains(self, x: jax.Array) -> jax.Array:
        """Whether it is one."""
        return (x >= 0) & (x < self.n)


@dataclass(frozen=True)
class Box:
    """float32 of a shape, from `low` to `high`."""

    low: float
    high: float
    shape: tuple[int, ...]
    dtype: Any = jnp.float32

    @drawing
    def sample(self, key: jax.Array) -> jax.Array:
        """Uniform; not for a box without ends."""
        return jax.random.uniform(key, self.shape, jnp.float32, self.low, self.high)

    def contains(self, x: jax.Array) -> jax.Array:
        """Whether it is inside."""
        return jnp.all((x >= self.low) & (x <= self.high))


class ArenaMARL:
    """See the module's text.

    A role's choices are one number, the first choice counting most (`numpy.ravel_multi_index`); shares of an order (execution) are a
    `Box` of numbers from 0 to 1 that need not sum to one: they are scaled, and equal where all are 0.
    """

    name = "lobjax_arena"

    def __init__(self, arena: Arena, params: ArenaParams | None = None) -> None:
        self.arena = arena
        self.params = arena.default_params if params is None else params
        self.agents = list(agent_names(arena))
        self.num_agents = len(self.agents)
        self._groups = groups_by_agent(arena)
        sizes = {group.name: len(arena.observation_names(group)) for group in arena.groups}
        self.observation_spaces = {
            name: Box(-np.inf, np.inf, (sizes[group.name],)) for name, group in self._groups.items()
        }
        self.action_spaces = {name: _space(group.role.action_space) for name, group in self._groups.items()}

    @cached_property
    def agent_classes(self) -> dict[str, list[str]]:
        """The agents of each group."""
        return {group.name: [name for name, its in self._groups.items() if its is group] for group in self.arena.groups}

    def observation_space(self, agent: str) -> Box:
        """float32 `[D]`; what the entries are, `Arena.observation_names` says."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete | Box:
        """What an agent may do."""
        return self.action_spaces[agent]

    def reset(self, key: jax.Array) -> tuple[dict[str, jax.Array], ArenaState]:
        """A new episode."""
        observations, state = self.arena.reset(key, self.params)
        return by_agent(self.arena, observations), state

    def step_env(self, key: jax.Array, state: ArenaState, actions: dict[str, jax.Array]) -> tuple[Any, ...]:
        """(observations, state, rewards, dones, infos) of one decision, without beginning a new episode."""
        decided = self._actions(actions)
        observations, state, rewards, terminated, truncated, info = self.arena.transition(
            key, state, decided, self.params
        )
        return self._told(observations, state, rewards, terminated, truncated, info)

    @drawing
    def step(
        self, key: jax.Array, state: ArenaState, actions: dict[str, jax.Array], reset_state: ArenaState | None = None
    ) -> tuple[Any, ...]:
        """The same; where the episode ended, state and observations are those of a new one, which begins at `reset_state` if given."""
        key, key_reset = jax.random.split(key)
        observations, state, rewards, dones, infos = self.step_env(key, state, actions)
        fresh = self.reset(key_reset) if reset_state is None else (self.get_obs(reset_state), reset_state)
        done = dones["__all__"]
        observations, state = jax.tree.map(lambda new, old: jnp.where(done, new, old), fresh, (observations, state))
        return observations, state, rewards, dones, infos

    def get_obs(self, state: ArenaState) -> dict[str, jax.Array]:
        """What agents see."""
        return by_agent(self.arena, self.arena.observe(state, self.params))

    def get_avail_actions(self, state: ArenaState) -> dict[str, jax.Array]:
        """Which actions mean something now, bool `[n]`: of a role's choices, of shares its parts. An agent that does not decide now, for
        it is out or it is not its turn, may do nothing, which is all that is read."""
        arena, acts, found, first = self.arena, self.arena.acts(state, self.params), {}, 0
        for at, (group, (sight, axes)) in enumerate(zip(arena.groups, arena.sights(state), strict=True)):
            masks = jax.vmap(group.role.act_mask, in_axes=(0, axes, None))(
                state.roles[at], sight, self.params.roles[at]
            )
            space = group.role.action_space
            masks = jax.vmap(lambda mask, space=space: _available(mask, space))(masks)
            waits = jnp.arange(masks.shape[1]) == _idle(group.role.idle, space)
            found[group.name] = jnp.where(acts[first : first + group.seats, None], masks, waits)
            first += group.seats
        return by_agent(arena, found)

    def _actions(self, actions: dict[str, jax.Array]) -> dict[str, jax.Array]:
        chosen = {name: _decoded(actions[name], group.role.action_space) for name, group in self._groups.items()}
        return by_group(self.arena, chosen, jnp.stack)

    def _told(
        self, observations: Any, state: ArenaState, rewards: Any, terminated: Any, truncated: Any, info: dict[str, Any]
    ) -> tuple[Any, ...]:
        arena = self.arena
        seen, final, ends, cut = (
            by_agent(arena, x) for x in (observations, info["final_observation"], terminated, truncated)
        )
        out = info["over"] | ~self.params.seats.active
        dones = {name: out[at] | cut[name] for at, name in enumerate(self.agents)}
        dones["__all__"] = info["done"]
        rest = {name: x for name, x in info.items() if name not in ("final_observation", "done")}
        infos = {**rest, "terminated": ends, "truncated": cut, "final_observation": final}
        return seen, state, by_agent(arena, rewards), dones, infos


def _space(space: Simplex | MultiDiscrete) -> Discrete | Box:
    if isinstance(space, MultiDiscrete):
        return Discrete(int(np.prod(space.nvec)))
    return Box(0.0, 1.0, (space.n,))


def _decoded(action: jax.Array, space: Simplex | MultiDiscrete) -> jax.Array:
    if isinstance(space, MultiDiscrete):
        choice = jnp.clip(jnp.asarray(action, jnp.int32), 0, int(np.prod(space.nvec)) - 1)
        return jnp.stack(jnp.unravel_index(choice, space.nvec)).astype(jnp.int32)
    parts = jnp.maximum(jnp.asarray(action, jnp.float32), 0)
    total = parts.sum()
    return jnp.where(total > 0, parts / jnp.where(total > 0, total, 1), 1 / space.n)


def _available(mask: jax.Array, space: Simplex | MultiDiscrete) -> jax.Array:
    if isinstance(space, Simplex):
        return mask
    ends = np.cumsum(space.nvec)[:-1].tolist()
    parts = jnp.split(mask, ends)
    return reduce(lambda one, other: (one[:, None] & other[None]).reshape(-1), parts)


def _idle(idle: Any, space: Simplex | MultiDiscrete) -> int:
    return idle if isinstance(space, Simplex) else int(np.ravel_multi_index(idle, space.nvec))
