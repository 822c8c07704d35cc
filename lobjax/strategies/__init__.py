"""Rule-based strategies, by task."""

import jax
import numpy as np

from lobjax.env import Environment, EnvParams
from lobjax.errors import InputError, nearest
from lobjax.strategies.almgren_chriss import ImpactConfig
from lobjax.strategies.base import Strategy
from lobjax.strategies.depths import DepthQuoter, depth_quoter
from lobjax.strategies.execution import (
    Scheduled,
    immediate,
    scheduled,
    submit_and_leave,
    twap,
    volume_profile,
    vwap,
    why_same,
)  # fmt: skip
from lobjax.strategies.making import SymmetricQuoter, symmetric_quoters
from lobjax.strategies.models import ModelsConfig, QuotingConfig, execution_model, quoting_models
from lobjax.strategies.snapshot import NAMES as HOLDERS
from lobjax.strategies.snapshot import holders

NAMES = {
    "execution": ("twap", "vwap", "submit_and_leave", "immediate"),
    "market_making": ("symmetric",),
    "snapshot": HOLDERS,
}
# Closed forms play only where they are named: they have numbers to be chosen (`ModelsConfig`).
MODELS = {
    "execution": ("almgren_chriss",),
    "market_making": ("avellaneda_stoikov", "gueant_lehalle_fernandez_tapia", "cartea_jaimungal"),
    "snapshot": (),
}
_PROFILE_EPISODES = 512


def strategies(
    env: Environment,
    params: EnvParams,
    names: tuple[str, ...] | None = None,
    profile_env: Environment | None = None,
    models: ModelsConfig | None = None,
) -> dict[str, Strategy]:
    """The strategies of a task by name (`NAMES` of it by default), in the order named. InputError for a name that the task does not know.

    VWAP's profile, and what `models` leaves open, are measured on `profile_env` (by default `env` itself) with keys that no evaluation
    uses: give an environment on other days or hours where the flow is recorded. `symmetric` stands for a quoter at each of the
    task's offsets.
    """
    known = NAMES[env.name] + MODELS[env.name]
    for name in names or ():
        if name not in known:
            raise InputError(f"strategy '{name}' is not one of task '{env.name}'; {nearest(name, known)}")
    names = NAMES[env.name] if names is None else names
    models = models or ModelsConfig()
    if env.name == "snapshot":
        return holders(params, names)
    made = _quoters if env.name == "market_making" else _schedules
    return made(env, params, names, profile_env, models)


def _schedules(
    env: Environment, params: EnvParams, names: tuple[str, ...], profile_env: Environment | None, models: ModelsConfig
) -> dict[str, Strategy]:
    lots, decisions = int(params.task.lots), int(params.task.decisions)
    simple = {"twap": twap, "submit_and_leave": submit_and_leave, "immediate": immediate}

    def one(name: str) -> Strategy:
        if name in simple:
            return simple[name](lots, decisions)
        if name in MODELS[env.name]:
            return execution_model(name, env, params, models, profile_env)
        return _vwap(env, params, profile_env)

    return {name: one(name) for name in names}


def _quoters(
    env: Environment, params: EnvParams, names: tuple[str, ...], profile_env: Environment | None, models: ModelsConfig
) -> dict[str, Strategy]:
    by_model = tuple(name for name in names if name in MODELS[env.name])
    modelled = quoting_models(by_model, env, params, models, profile_env)
    found: dict[str, Strategy] = {}
    for name in names:
        known = {name: modelled[name]} if name in modelled else _symmetric(params)
        found |= known
    return found


def _symmetric(params: EnvParams) -> dict[str, SymmetricQuoter]:
    return symmetric_quoters(tuple(np.asarray(params.task.offsets).tolist()))


def _vwap(env: Environment, params: EnvParams, profile_env: Environment | None) -> Scheduled:
    if profile_env is not None:
        env, params = profile_env, profile_env.default_params
    keys = jax.random.split(jax.random.fold_in(jax.random.key(0), 0x5EED), _PROFILE_EPISODES)
    profile = volume_profile(env, params, keys)
    if not profile.sum() > 0:
        raise InputError("vwap: nothing was traded where its volume profile is measured; choose other hours")
    return vwap(int(params.task.lots), profile)


__all__ = [
    "MODELS", "NAMES", "DepthQuoter", "ImpactConfig", "ModelsConfig", "QuotingConfig", "Scheduled", "Strategy", "SymmetricQuoter",
    "depth_quoter", "immediate", "scheduled", "strategies", "submit_and_leave", "symmetric_quoters", "twap", "volume_profile", "vwap",
    "why_same",
]  # fmt: skip
