"""One environment behind Gymnasium's interface."""

import weakref
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from lobjax.env.gymnasium.actions import action_space, checked, observation_space
from lobjax.env.gymnasium.arguments import (
    InvalidArgument,
    is_list,
    one_seed,
    options_mask,
    render_mode_of,
    same_seed,
    shown,
)
from lobjax.env.gymnasium.batch import Batch
from lobjax.env.gymnasium.ladder import drawn
from lobjax.env.gymnasium.programs import programs_of, programs_of_config
from lobjax.env.gymnasium.sources import config_of
from lobjax.tasks import EnvConfig


class LobjaxEnv(gymnasium.Env):
    """A vector environment's first member, alone: the same numbers for the same seed, until its episode ends.

    Observation float32 `[D]`, reward a float, `terminated` and `truncated` bool, `info` every metric of the task as a NumPy number.
    Actions as a row of `LobjaxVectorEnv`'s. It can be copied and pickled, in the middle of an episode too. All of one configuration
    share their compiled programs.
    """

    metadata = {"render_modes": ["human", "ansi", "rgb_array"], "render_fps": 4}  # noqa: RUF012 - Gymnasium's own form

    def __init__(
        self,
        config: str | Path | EnvConfig | Any = None,
        *,
        assignments: tuple[str, ...] = (),
        task: str | None = None,
        params: Any = None,
        render_mode: str | None = None,
    ) -> None:
        """`config`, `assignments`, `task`: see `make_vec`; or an environment of `lobjax.tasks.make`. `params` None: its default ones.

        `render_mode`: "ansi" (`render` gives a text of the book), "rgb_array" (a picture), or "human" (the text is printed at every step).
        """
        made = hasattr(config, "transition")
        if made and (assignments or task):
            raise InvalidArgument(
                "assignments and task: they change a configuration; config is an environment already made"
            )
        programs = programs_of(config) if made else programs_of_config(config_of(config, assignments, task))
        self.render_mode = render_mode_of(render_mode, self.metadata["render_modes"], programs.env)
        self._batch = Batch(programs, 1, params)
        self.observation_space = observation_space(programs.env.observation_size)
        self.action_space = action_space(programs.env.action_space)
        # A process that made an environment only to look at its spaces, as `AsyncVectorEnv` does, has the programs for as long as it has
        # these: a forked child can then be made without JAX, and says in `reset`, where it is heard, that it cannot run.
        weakref.finalize(self.observation_space, id, programs).atexit = False
        self._over = self._closed = False

    @property
    def env(self) -> Any:
        """The environment in JAX."""
        return self._batch.programs.env

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """A new episode; `info` is empty. `seed`: an integer from 0 to 2^64 - 1, or None: on from the last one. There are no options."""
        self._check_open()
        options_mask(options, None)
        if seed is not None:
            if is_list(seed):
                raise InvalidArgument(f"seed: {shown(seed)} is several; this is one environment, give one")
            super().reset(seed=one_seed(seed))
        drawn_seed = int(self.np_random.integers(2**32)) if seed is None else one_seed(seed)
        observation = self._batch.begin(same_seed(drawn_seed, 1))
        self._over = False
        self._show()
        return observation[0], {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One decision."""
        self._check_open()
        if not self._batch.begun or self._over:
            why = "the episode is over; call reset()" if self._over else "call reset() before step()"
            raise gymnasium.error.ResetNeeded(why)
        action = checked(action, self.action_space.shape or (), self.env.action_space, "action")
        reward, terminated, truncated, metrics = self._batch.step(action[None])
        self._over = bool(terminated[0] or truncated[0])
        self._show()
        info = {name: x[0] for name, x in metrics.items()}
        return self._batch.observation()[0], float(reward[0]), bool(terminated[0]), bool(truncated[0]), info

    def render(self) -> Any:
        """A frame: str, or uint8 `[height, width, 3]`; None without a `render_mode`, and in "human", which prints by itself."""
        self._check_open()
        if self.render_mode in (None, "human"):
            return None
        if not self._batch.begun:
            raise gymnasium.error.ResetNeeded("call reset() before render()")
        return drawn(self._batch.programs, self._batch.state, self.render_mode)[0]

    def close(self) -> None:
        """Let go of the episode; closing twice does nothing."""
        self._closed = True
        self._batch.forget()

    def _show(self) -> None:
        if self.render_mode == "human":
            print(drawn(self._batch.programs, self._batch.state, "ansi")[0])

    def _check_open(self) -> None:
        if self._closed:
            raise gymnasium.error.ClosedEnvironmentError("this environment was closed; make a new one")
