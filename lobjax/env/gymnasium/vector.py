"""Many environments behind Gymnasium's vector interface.

Autoreset modes. SAME_STEP: where an episode ends, the observation is the first of the next, and `infos["final_obs"]` and
`infos["final_info"]` hold the last one's, with the masks `_final_obs` and `_final_info`. NEXT_STEP: the step after the end begins
the next episode; there the action is not looked at and the reward is 0. DISABLED: the caller resets, by `reset_mask`.

A deadline that the task names is `terminated`; `truncated` is only what was cut short: an agent bootstraps from the last observation there
and nowhere else.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from lobjax.env.gymnasium.actions import action_space, checked, observation_space
from lobjax.env.gymnasium.arguments import (
    InvalidArgument,
    Seeds,
    autoreset_of,
    check_memory,
    count,
    is_list,
    one_seed,
    options_mask,
    own_seeds,
    render_mode_of,
    same_seed,
    seed_list,
    shown,
)
from lobjax.env.gymnasium.batch import Batch
from lobjax.env.gymnasium.ladder import drawn
from lobjax.env.gymnasium.programs import programs_of


class LobjaxVectorEnv(VectorEnv):
    """`n_envs` copies of an environment in one compiled program.

    Observations float32 `[n, D]`, rewards float32 `[n]`, `terminations` and `truncations` bool `[n]`. Actions: of a `MultiDiscrete`
    int `[n, k]`; of a `Simplex` float `[n, k]` in a box from 0 to 1, where a row that does not sum to 1 is divided by its sum (all zeros:
    equal shares). `infos` has every metric of the task as an array `[n]`, with a mask `_name` that is false where a new episode just
    began: in SAME_STEP the last one's are in `final_info`. It can be copied and pickled, in the middle of episodes too.

    Seeds: `reset(seed=s)` makes environment i play on keys fold_in(fold_in(key(s), i), t), t counting its calls from this reset (0) on, so
    it is `env.reset` and then `env.step` with these keys (in SAME_STEP). Without a seed, s is drawn from `np_random`. With one seed an
    environment, i is 0, as in a single environment with that seed; None in the list: drawn.
    """

    metadata = {  # noqa: RUF012 - Gymnasium's own form
        "render_modes": ["ansi", "rgb_array"],
        "render_fps": 4,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(
        self,
        env: Any,
        n_envs: int,
        params: Any = None,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
    ) -> None:
        """`env`: of `lobjax.tasks.make`, or anything with its contract. `params` None: its default ones.

        `render_mode`: "ansi" (a text of the book for each) or "rgb_array" (a picture). `max_episode_steps`: longer episodes are truncated.
        """
        if not hasattr(env, "transition"):
            raise InvalidArgument(f"env: {shown(env)}; give an environment of lobjax.tasks.make, or call make_vec")
        self.num_envs = count(n_envs, "n_envs")
        check_memory(env, self.num_envs)
        self._mode = autoreset_of(autoreset_mode)
        self._most_steps = None if max_episode_steps is None else count(max_episode_steps, "max_episode_steps")
        self.metadata = {**type(self).metadata, "autoreset_mode": self._mode}
        self.render_mode = render_mode_of(render_mode, self.metadata["render_modes"], env)
        self._batch = Batch(programs_of(env), self.num_envs, params)
        self.single_observation_space = observation_space(env.observation_size)
        self.single_action_space = action_space(env.action_space)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._ended = np.zeros(self.num_envs, bool)  # episodes that are over and not begun again

    @property
    def env(self) -> Any:
        """The environment in JAX."""
        return self._batch.programs.env

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """Begin new episodes everywhere, or where `options["reset_mask"]` bool `[n]` says; `infos` is empty.

        `seed`: None, an integer from 0 to 2^64 - 1, or a sequence of one for each environment, None for some.
        """
        self._check_open()
        mask = options_mask(options, self.num_envs)
        if mask is not None and not self._batch.begun:
            raise gymnasium.error.ResetNeeded("the first reset() begins all environments; leave reset_mask out")
        observation = self._batch.begin(self._seeds(seed), mask)
        self._ended = self._ended & (False if mask is None else ~mask)
        return observation, {}

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One decision in every environment."""
        self._check_open()
        if not self._batch.begun:
            raise gymnasium.error.ResetNeeded("call reset() before step()")
        if self._mode is AutoresetMode.DISABLED and self._ended.any():
            over = np.flatnonzero(self._ended)[:5].tolist()
            raise gymnasium.error.ResetNeeded(
                f"episodes are over in environments {over}; reset them by options['reset_mask']"
            )
        actions = checked(actions, self.action_space.shape or (), self.env.action_space)
        reward, terminated, truncated, metrics = self._batch.step(actions)
        if self._most_steps is not None:
            truncated |= metrics["episode_length"] >= self._most_steps
        fresh = self._ended
        if self._mode is AutoresetMode.NEXT_STEP:
            reward, terminated, truncated = (_blank(x, fresh) for x in (reward, terminated, truncated))
            metrics = {name: _blank(x, fresh) for name, x in metrics.items()}
        done = terminated | truncated
        last = self._batch.observation()
        if self._mode is AutoresetMode.SAME_STEP:
            fresh = done
        self._ended = done & ~fresh
        observation = self._batch.again(fresh) if fresh.any() else last
        ended = done if self._mode is AutoresetMode.SAME_STEP else np.zeros_like(done)
        return observation, reward, terminated, truncated, _infos(metrics, last, fresh, ended)

    def render(self) -> tuple[Any, ...] | None:
        """Every environment's frame: str, or uint8 `[height, width, 3]`; None without a `render_mode`."""
        self._check_open()
        if self.render_mode is None:
            return None
        if not self._batch.begun:
            raise gymnasium.error.ResetNeeded("call reset() before render()")
        return drawn(self._batch.programs, self._batch.state, self.render_mode)

    def close_extras(self, **kwargs: Any) -> None:
        """Let go of the episodes."""
        if "_batch" in vars(self):  # Gymnasium before 1.2 also closes what was refused while it was made
            self._batch.forget()

    def _check_open(self) -> None:
        if self.closed:
            raise gymnasium.error.ClosedEnvironmentError("this environment was closed; make a new one")

    def _seeds(self, seed: Any) -> Seeds:
        if seed is None:
            return same_seed(self._drawn(), self.num_envs)
        if not is_list(seed):
            super().reset(seed=one_seed(seed))
            return same_seed(one_seed(seed), self.num_envs)
        seeds = seed_list(seed, self.num_envs)
        given = [one for one in seeds if one is not None]
        if len(given) == len(seeds):  # then what is drawn later follows from them too
            self.np_random = np.random.Generator(np.random.PCG64(np.random.SeedSequence(given)))
        return own_seeds(self._drawn() if one is None else one for one in seeds)

    def _drawn(self) -> int:
        return int(self.np_random.integers(2**32))


def _blank(x: np.ndarray, where: np.ndarray) -> np.ndarray:
    return np.where(where, np.zeros_like(x), x)


def _infos(metrics: dict[str, np.ndarray], last: np.ndarray, fresh: np.ndarray, ended: np.ndarray) -> dict[str, Any]:
    """In Gymnasium's form: arrays with masks; what belongs to episodes that `ended` and began again apart."""
    infos: dict[str, Any] = dict(metrics) | {f"_{name}": ~fresh for name in metrics}
    if ended.any():
        final = np.full(len(ended), None, object)
        for i in np.flatnonzero(ended):
            final[i] = last[i]
        of_ended = {name: x.copy() for name, x in metrics.items()} | {f"_{name}": ended.copy() for name in metrics}
        infos |= {"final_obs": final, "_final_obs": ended.copy(), "final_info": of_ended, "_final_info": ended.copy()}
    return infos
