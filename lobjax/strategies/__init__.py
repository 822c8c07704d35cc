"""Rule-based strategies, by task."""

import jax
import numpy as np

from lobjax.env import Environment, EnvParams
from lobjax.errors import InputError, nearest
from lobjax.strategies.base import Strategy
from lobjax.strategies.execution import Immediate, Scheduled, SubmitAndLeave, twap, volume_profile, vwap
from lobjax.strategies.making import SymmetricQuoter

NAMES = {"execution": ("twap", "vwap", "submit_and_leave", "immediate"), "market_making": ("symmetric",)}
_PROFILE_EPISODES = 512


def strategies(
    env: Environment, params: EnvParams, names: tuple[str, ...] | None = None, profile_params: EnvParams | None = None
) -> list[Strategy]:
    """The strategies of a task by name (all of them by default). InputError for a name that the task does not know.

    VWAP's profile is measured on episodes drawn from `profile_params` (by default `params`) with keys that no evaluation uses: give the
    parameters of other days or hours where the flow is recorded. A symmetric quoter stands for each offset, named by its ticks.
    """
    known = NAMES[env.name]
    for name in names or ():
        if name not in known:
            raise InputError(f"strategy '{name}' is not one of task '{env.name}'; {nearest(name, known)}")
    made: list[Strategy] = []
    for name in names or known:
        if name == "symmetric":
            made += [
                SymmetricQuoter(k, f"symmetric_{tick}")
                for k, tick in enumerate(np.asarray(params.task.offsets).tolist())
            ]
        elif name == "vwap":
            keys = jax.random.split(jax.random.fold_in(jax.random.key(0), 0x5EED), _PROFILE_EPISODES)
            made.append(vwap(int(params.task.lots), volume_profile(env, profile_params or params, keys)))
        elif name == "twap":
            made.append(twap(int(params.task.lots), int(params.task.decisions)))
        else:
            made.append({"submit_and_leave": SubmitAndLeave, "immediate": Immediate}[name]())
    return made


__all__ = [
    "NAMES", "Immediate", "Scheduled", "Strategy", "SubmitAndLeave", "SymmetricQuoter", "strategies", "twap", "volume_profile", "vwap",
]  # fmt: skip
