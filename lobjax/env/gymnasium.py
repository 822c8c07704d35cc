"""Environments for agents of other libraries: Gymnasium's vector interface (extra `gym`), NumPy in and out.

    envs = make_vec("configs/train/execution.yaml", n_envs=64)
    envs = gymnasium.make_vec("lobjax.env.gymnasium:lobjax/Market-v0", num_envs=64, config="configs/train/execution.yaml")

Episodes follow each other in the same step (`AutoresetMode.SAME_STEP`): where one ends, the observation is the first of the next, and
`infos["final_obs"]` and `infos["final_info"]` hold the last one's, with the masks `_final_obs` and `_final_info`. A deadline that the
task names is `terminated`; `truncated` is only what was cut short: an agent bootstraps from `final_obs` there and nowhere else.
"""

from pathlib import Path
from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from lobjax.config import build, load_yaml, override
from lobjax.env.config import EnvConfig
from lobjax.env.make import make
from lobjax.env.spaces import MultiDiscrete, Simplex
from lobjax.errors import InputError

ID = "lobjax/Market-v0"


class LobjaxVectorEnv(VectorEnv):
    """`n_envs` copies of an environment in one compiled program.

    Observations float32 `[n, D]`, rewards float32 `[n]`, `terminations` and `truncations` bool `[n]`. Actions: of a `MultiDiscrete`
    int `[n, k]`; of a `Simplex` float `[n, k]` in a box from 0 to 1, where a row that does not sum to 1 is divided by its sum (all zeros:
    equal shares). `infos` has every metric of the task as an array `[n]`, with a mask `_name` that is false where the episode just ended:
    there it is in `final_info`.

    Seeds: `reset(seed=s)` makes environment i play on keys fold_in(fold_in(key(s), i), t), t counting its calls from this reset (0) on, so
    it is `env.reset` and then `env.step` with these keys. Without a seed the key is drawn from `np_random`.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012 - Gymnasium's own form

    def __init__(self, env: Any, n_envs: int, params: Any = None) -> None:
        """`env`: of `lobjax.env.make`, or anything with its contract. `params` None: its default ones."""
        if n_envs < 1:
            raise InputError(f"n_envs: {n_envs}; give at least one")
        self.env, self.num_envs = env, n_envs
        self._params = env.default_params if params is None else params
        self.single_observation_space = spaces.Box(-np.inf, np.inf, (env.observation_size,), np.float32)
        self.single_action_space = action_space(env.action_space)
        self.observation_space = batch_space(self.single_observation_space, n_envs)
        self.action_space = batch_space(self.single_action_space, n_envs)
        self._reset = jax.jit(jax.vmap(env.reset, in_axes=(0, None)))
        self._transition = jax.jit(jax.vmap(env.transition, in_axes=(0, 0, 0, None)))
        self._begin_again = jax.jit(_where)
        self._keys = jax.jit(_keys, static_argnums=2)
        self._key, self._calls, self._state = None, 0, None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """Begin new episodes everywhere; `infos` is empty. There are no options."""
        super().reset(seed=seed)
        if options:
            raise ValueError(f"options {sorted(options)} are not known; this environment has none")
        drawn = int(self.np_random.integers(2**32)) if seed is None else seed % 2**32
        self._key, self._calls = jax.random.key(drawn), 0
        observation, self._state = self._reset(self._keys(self._key, 0, self.num_envs), self._params)
        return np.array(observation), {}

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One decision in every environment."""
        if self._key is None:
            raise gymnasium.error.ResetNeeded("call reset() before step()")
        actions = self._checked(actions)
        self._calls += 1
        keys = self._keys(self._key, self._calls, self.num_envs)
        step_keys, reset_keys = jax.vmap(jax.random.split, out_axes=1)(keys)  # as `env.step` does
        observation, state, reward, terminated, truncated, info = self._transition(
            step_keys, self._state, actions, self._params
        )
        last = np.array(observation)
        terminated, truncated = np.array(terminated), np.array(truncated)
        done = terminated | truncated
        if done.any():  # only then: a start can cost a warm-up of its market
            observation, state = self._begin_again(done, self._reset(reset_keys, self._params), (observation, state))
        self._state = state
        metrics = {name: np.array(x) for name, x in info.items() if name != "final_observation"}
        return np.array(observation), np.array(reward), terminated, truncated, _infos(metrics, last, done)

    def _checked(self, actions: Any) -> jax.Array:
        """Actions as the environment takes them; ValueError for what is none."""
        actions = np.asarray(actions)
        if actions.shape != self.action_space.shape:
            raise ValueError(f"actions have shape {actions.shape}; expected {self.action_space.shape}")
        if isinstance(self.env.action_space, MultiDiscrete):
            if not np.issubdtype(actions.dtype, np.integer):
                raise ValueError(f"actions are {actions.dtype}; expected integers")
            if (actions < 0).any() or (actions >= self.env.action_space.nvec).any():
                raise ValueError(
                    f"actions: a choice is out of range; they go from 0 to {self.env.action_space.nvec} less 1"
                )
            return jnp.asarray(actions, jnp.int32)
        actions = actions.astype(np.float32)
        if not (actions >= 0).all() or not np.isfinite(actions).all():
            raise ValueError("actions: shares must be finite and not negative")
        return jnp.asarray(shares(actions))


def make_vec(config: str | Path | EnvConfig, n_envs: int, assignments: tuple[str, ...] = ()) -> LobjaxVectorEnv:
    """The vector environment of a configuration: the section `env` of a YAML file (a training configuration has one), or an `EnvConfig`.

    `assignments` change the file's values, as "env.task.lots=20". InputError for a bad one.
    """
    if not isinstance(config, EnvConfig):
        data = override(load_yaml(config), [*assignments])
        if "env" not in data:
            raise InputError(f"{config}: no section 'env'; name a training configuration, or write one")
        config = build(EnvConfig, data["env"], "config.env")
    return LobjaxVectorEnv(make(config), n_envs)


def action_space(space: Simplex | MultiDiscrete) -> spaces.Space:
    """One environment's action space, in Gymnasium's words."""
    if isinstance(space, MultiDiscrete):
        return spaces.MultiDiscrete(list(space.nvec))
    return spaces.Box(0.0, 1.0, (space.n,), np.float32)


def shares(actions: np.ndarray) -> np.ndarray:
    """Rows float32 `[n, k]`, none negative, as points of the simplex; those that are points already stay as they are."""
    total = actions.sum(axis=1, keepdims=True)
    scaled = np.where(total > 0, actions / np.where(total > 0, total, 1), np.float32(1 / actions.shape[1]))
    return np.where(np.abs(total - 1) < 1e-5, actions, scaled)


def _keys(key: jax.Array, call: jax.Array, n_envs: int) -> jax.Array:
    own = jax.vmap(jax.random.fold_in, in_axes=(None, 0))(key, jnp.arange(n_envs))
    return jax.vmap(jax.random.fold_in, in_axes=(0, None))(own, call)


def _where(done: jax.Array, new: Any, old: Any) -> Any:
    return jax.tree.map(lambda x, y: jnp.where(done.reshape(-1, *(1,) * (x.ndim - 1)), x, y), new, old)


def _infos(metrics: dict[str, np.ndarray], last: np.ndarray, done: np.ndarray) -> dict[str, Any]:
    """In Gymnasium's form: arrays with masks; what belongs to episodes that ended apart."""
    infos: dict[str, Any] = dict(metrics) | {f"_{name}": ~done for name in metrics}
    if done.any():
        final = np.full(len(done), None, object)
        for i in np.flatnonzero(done):
            final[i] = last[i]
        ended = {name: x.copy() for name, x in metrics.items()} | {f"_{name}": done.copy() for name in metrics}
        infos |= {"final_obs": final, "_final_obs": done.copy(), "final_info": ended, "_final_info": done.copy()}
    return infos


def _registered(*, num_envs: int, config: str | Path | EnvConfig, assignments: tuple[str, ...] = ()) -> LobjaxVectorEnv:
    """`make_vec` as Gymnasium calls it."""
    return make_vec(config, num_envs, assignments)


if ID not in gymnasium.registry:
    gymnasium.register(ID, vector_entry_point=f"{__name__}:_registered")
