"""Environments for Stable-Baselines3's learners (extra `sb3`): its `VecEnv` over one compiled program.

    envs = VecMonitor(make_vec("configs/train/execution.yaml", n_envs=16))
    PPO("MlpPolicy", envs).learn(100_000)

`infos[i]` has every metric of the task; where an episode ends, those of the whole episode, `terminal_observation`, and
`TimeLimit.truncated`, true only for what was cut short. There is one program for all environments, so an attribute of one can be read and
new ones attached, but nothing that it plays by can be set: that is for `params` and the configuration.
"""

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lobjax.errors import InputError, nearest

try:
    from stable_baselines3.common.vec_env import VecEnv
except ImportError as error:
    raise InputError(f"stable-baselines3 2.7 or newer is needed ({error}); pip install 'lobjax[sb3]'") from None

from gymnasium.vector import AutoresetMode

from lobjax.env.gymnasium import InvalidArgument, LobjaxVectorEnv
from lobjax.env.gymnasium import make_vec as make_gymnasium_vec
from lobjax.tasks import EnvConfig


class LobjaxVecEnv(VecEnv):
    """A `LobjaxVectorEnv` (same-step autoreset) as Stable-Baselines3 has it.

    `seed(s)` lets the next `reset` play environment i on seed s + i. After `close` it cannot be used again.
    """

    def __init__(self, envs: LobjaxVectorEnv) -> None:
        if (mode := envs.metadata["autoreset_mode"]) is not AutoresetMode.SAME_STEP:
            raise InvalidArgument(f"autoreset_mode: {mode.value}; Stable-Baselines3 needs SameStep")
        self.envs, self._actions = envs, None
        self._members = [Member(envs, i) for i in range(envs.num_envs)]
        super().__init__(envs.num_envs, envs.single_observation_space, envs.single_action_space)

    @property
    def spec(self) -> Any:
        """Gymnasium's, where the environments were made by an id."""
        return self.envs.spec

    def reset(self) -> np.ndarray:
        """First observations float32 `[n, D]`; seeds and options that were set are used up."""
        all_options = self._options
        self._reset_options()
        for i, options in enumerate(all_options):
            if options:
                raise InvalidArgument(
                    f"options of environment {i}: {sorted(options)} are not known; this environment has none"
                )
        drawn = all(seed is None for seed in self._seeds)
        observation, _ = self.envs.reset(seed=None if drawn else self._seeds)
        self._reset_seeds()
        self._actions = None
        return observation

    def step_async(self, actions: np.ndarray) -> None:
        """Take the actions `[n, k]` of the next `step_wait`."""
        self._actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """(observations, rewards, dones, infos)."""
        if self._actions is None:
            raise InvalidArgument("step_wait: no actions were given; call step_async first")
        actions, self._actions = self._actions, None
        observation, reward, terminated, truncated, told = self.envs.step(actions)
        cut = truncated & ~terminated
        columns = {name: x.tolist() for name, x in told.items() if f"_{name}" in told and not name.startswith("final_")}
        columns["TimeLimit.truncated"] = cut.tolist()
        infos = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        done = terminated | truncated
        for i in np.flatnonzero(done):
            infos[i]["terminal_observation"] = told["final_obs"][i]
        return observation, reward, done, infos

    def close(self) -> None:
        """Let go of the episodes."""
        self.envs.close()

    def get_images(self) -> Sequence[np.ndarray | None]:
        """A picture uint8 `[height, width, 3]` of each, with render_mode "rgb_array"; else None for each, and a warning."""
        if self.render_mode != "rgb_array":
            warnings.warn(f"render_mode is {self.render_mode}; images need rgb_array", stacklevel=2)
            return [None] * self.num_envs
        return list(self.envs.render() or ())

    def get_attr(self, attr_name: str, indices: int | Iterable[int] | None = None) -> list[Any]:
        """An attribute of each environment."""
        return [getattr(member, attr_name) for member in self._chosen(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: int | Iterable[int] | None = None) -> None:
        """Attach an attribute to each environment; InvalidArgument for one that it has by itself."""
        for member in self._chosen(indices):
            setattr(member, attr_name, value)

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        """Call a method of each environment."""
        return [getattr(member, method_name)(*method_args, **method_kwargs) for member in self._chosen(indices)]

    def env_is_wrapped(self, wrapper_class: type, indices: int | Iterable[int] | None = None) -> list[bool]:
        """Never: there are no environments to wrap one by one."""
        return [False for _ in self._chosen(indices)]

    def _chosen(self, indices: Any) -> "list[Member]":
        return [self._members[int(i)] for i in self._get_indices(indices)]


class Member:
    """One environment of a batch, for callers that ask about environments one by one."""

    def __init__(self, envs: LobjaxVectorEnv, index: int) -> None:
        vars(self).update(_envs=envs, index=index)
        vars(self).update(observation_space=envs.single_observation_space, action_space=envs.single_action_space)
        vars(self).update(render_mode=envs.render_mode, metadata=envs.metadata, env=envs.env)
        vars(self)["_own"] = frozenset(vars(self))

    @property
    def spec(self) -> Any:
        """Gymnasium's, where the environments were made by an id."""
        return self._envs.spec

    @property
    def unwrapped(self) -> "Member":
        """Itself."""
        return self

    def render(self) -> Any:
        """This one's frame."""
        frames = self._envs.render()
        return None if frames is None else frames[self.index]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """A new episode in this one alone."""
        chosen = np.arange(self._envs.num_envs) == self.index
        seeds = None if seed is None else [seed if mine else None for mine in chosen]
        observation, _ = self._envs.reset(seed=seeds, options={**(options or {}), "reset_mask": chosen})
        return observation[self.index], {}

    def has_wrapper_attr(self, name: str) -> bool:
        """Whether it has an attribute."""
        return hasattr(self, name)

    def get_wrapper_attr(self, name: str) -> Any:
        """An attribute."""
        return getattr(self, name)

    def __getattr__(self, name: str) -> Any:
        known = [one for one in (*vars(self), *vars(type(self))) if not one.startswith("_")]
        raise AttributeError(f"an environment has no attribute '{name}'; {nearest(name, known)}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._own or hasattr(type(self), name):
            raise InvalidArgument(
                f"set_attr: '{name}' is the same for all environments of a program; make others with it"
            )
        vars(self)[name] = value


def make_vec(
    config: str | Path | EnvConfig | None,
    n_envs: int = 1,
    assignments: tuple[str, ...] = (),
    *,
    task: str | None = None,
    seed: int | None = None,
    render_mode: str | None = None,
    max_episode_steps: int | None = None,
) -> LobjaxVecEnv:
    """The `VecEnv` of a configuration; arguments as of `lobjax.env.gymnasium.make_vec`. `seed`: see `LobjaxVecEnv`."""
    envs = LobjaxVecEnv(
        make_gymnasium_vec(
            config, n_envs, assignments, task=task, render_mode=render_mode, max_episode_steps=max_episode_steps
        )
    )
    if seed is not None:
        envs.seed(seed)
    return envs
