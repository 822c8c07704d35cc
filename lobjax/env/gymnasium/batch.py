"""A batch of environments as NumPy sees it: what the single and the vector interface have in common."""

from typing import Any, NamedTuple

import jax
import numpy as np

from lobjax.env.gymnasium.arguments import Seeds
from lobjax.env.gymnasium.programs import Programs


class Transition(NamedTuple):
    """What a step brought, in NumPy, `[n]` each."""

    reward: np.ndarray  # float32
    terminated: np.ndarray  # bool
    truncated: np.ndarray  # bool
    metrics: dict[str, np.ndarray]


class Batch:
    """`n` environments. Environment i plays on keys fold_in(own key i, t), t counting its calls since it was seeded (0).

    Everything that moves is in here, so that a copy or a pickle goes on to the same bits.
    """

    def __init__(self, programs: Programs, n: int, params: Any = None) -> None:
        """`params` None: the environment's default ones."""
        self.programs, self.n, self._given = programs, n, params
        self.forget()

    @property
    def params(self) -> Any:
        """The numbers that are played with."""
        return self.programs.env.default_params if self._given is None else self._given

    @property
    def begun(self) -> bool:
        """Whether there are episodes to play."""
        return self.state is not None

    def begin(self, seeds: Seeds, mask: np.ndarray | None = None) -> np.ndarray:
        """New episodes, or only where `mask` bool `[n]`; the observations float32 `[n, D]` of all."""
        own, fresh_calls = self.programs.keys(*jax.device_put(tuple(seeds))), np.zeros(self.n, np.uint32)
        fresh = (own, *self.programs.begin(own, jax.device_put(fresh_calls), self.params))
        if mask is None:
            self._calls = fresh_calls
        else:
            self._calls = np.where(mask, fresh_calls, self._calls)
            fresh = self.programs.where(jax.device_put(mask), fresh, (self._own, self._seen, self.state))
        self._own, self._seen, self.state = fresh
        return self.observation()

    def step(self, actions: np.ndarray) -> Transition:
        """A transition everywhere; no episode begins."""
        self._calls = self._calls + np.uint32(1)
        moved, self._reset_keys = self.programs.step(
            self._own, *jax.device_put((self._calls,)), self.state, jax.device_put(actions), self.params
        )
        self._seen, self.state, reward, terminated, truncated, info = moved
        metrics = {name: _numpy(x) for name, x in info.items() if name != "final_observation"}
        return Transition(_numpy(reward), _numpy(terminated), _numpy(truncated), metrics)

    def again(self, mask: np.ndarray) -> np.ndarray:
        """After `step`, new episodes where `mask` bool `[n]`; the observations of all. It can cost a warm-up of their markets."""
        fresh = self.programs.reset(self._reset_keys, self.params)
        self._seen, self.state = self.programs.where(jax.device_put(mask), fresh, (self._seen, self.state))
        return self.observation()

    def observation(self) -> np.ndarray:
        """What is seen now, float32 `[n, D]`, the caller's own."""
        return _numpy(self._seen)

    def forget(self) -> None:
        """Let go of all that the episodes hold."""
        self.state: Any = None
        self._own = self._seen = self._reset_keys = None
        self._calls = np.zeros(self.n, np.uint32)


def _numpy(x: Any) -> np.ndarray:
    return np.array(jax.device_get(x))
