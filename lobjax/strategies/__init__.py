"""Rule-based strategies, by task."""

import jax
import numpy as np

from lobjax.env import Environment, EnvParams
from lobjax.errors import InputError, nearest
from lobjax.strategies.base import Strategy
from lobjax.strategies.execution import (
    Scheduled,
    immediate,
    scheduled,
    submit_and_leave,
    twap,
    volume_profile,
    vwap,
)  # fmt: skip
from lobjax.strategies.making import SymmetricQuoter, symmetric_quoters

NAMES = {"execution": ("twap", "vwap", "submit_and_leave", "immediate"), "market_making": ("symmetric",)}
_PROFILE_EPISODES = 512


def strategies(
    env: Environment, params: EnvParams, names: tuple[str, ...] | None = None, profile_env: Environment | None = None
) -> dict[str, Strategy]:
    """The strategies of a task by name (all of them by default), in the order named. InputError for a name that the task does not know.

    VWAP's profile is measured on `profile_env` (by default `env` itself) with keys that no evaluation uses: give an environment on other
    days or hours where the flow is recorded. `symmetric` stands for a quoter at each of the task's offsets.
    """
    known = NAMES[env.name]
    for name in names or ():
        if name not in known:
            raise InputError(f"strategy '{name}' is not one of task '{env.name}'; {nearest(name, known)}")
    names = known if names is None else names
    if env.name == "market_making":
        return dict(symmetric_quoters(tuple(np.asarray(params.task.offsets).tolist()))) if names else {}
    lots, decisions = int(params.task.lots), int(params.task.decisions)
    simple = {"twap": twap, "submit_and_leave": submit_and_leave, "immediate": immediate}
    return {
        name: simple[name](lots, decisions) if name in simple else _vwap(env, params, profile_env) for name in names
    }


def _vwap(env: Environment, params: EnvParams, profile_env: Environment | None) -> Scheduled:
    if profile_env is not None:
        env, params = profile_env, profile_env.default_params
    keys = jax.random.split(jax.random.fold_in(jax.random.key(0), 0x5EED), _PROFILE_EPISODES)
    profile = volume_profile(env, params, keys)
    if not profile.sum() > 0:
        raise InputError("vwap: nothing was traded where its volume profile is measured; choose other hours")
    return vwap(int(params.task.lots), profile)


__all__ = [
    "NAMES", "Scheduled", "Strategy", "SymmetricQuoter", "immediate", "scheduled", "strategies", "submit_and_leave",
    "symmetric_quoters", "twap", "volume_profile", "vwap",
]  # fmt: skip
