"""Benchmarks of optimal execution by name: schedules (`lobjax.strategies.schedules`), and Almgren-Chriss where it is named."""

from collections.abc import Callable

import jax

from lobjax.errors import InputError
from lobjax.settings import key_of
from lobjax.strategies import (
    Scheduled,
    Strategy,
    execution_model,
    immediate,
    submit_and_leave,
    twap,
    volume_profile,
    vwap,
)
from lobjax.tasks.registry import Field, Strategies

MODELS = ("almgren_chriss",)
_SIMPLE: dict[str, Callable[[int, int], Scheduled]] = {
    "twap": twap,
    "submit_and_leave": submit_and_leave,
    "immediate": immediate,
}
_PROFILE_EPISODES = 512


def _make(field: Field, names: tuple[str, ...]) -> dict[str, Strategy]:
    return {name: _one(field, name) for name in names}


def _one(field: Field, name: str) -> Strategy:
    if name in MODELS:
        return execution_model(name, field.env, field.params, field.models, field.elsewhere)
    if name == "vwap":
        return _vwap(field)
    return _SIMPLE[name](int(field.params.task.lots), int(field.params.task.decisions))


def _vwap(field: Field) -> Scheduled:
    env, params = field.env, field.params
    if field.elsewhere is not None:
        env, params = field.elsewhere, field.elsewhere.default_params
    keys = jax.random.split(jax.random.fold_in(key_of(0), 0x5EED), _PROFILE_EPISODES)
    profile = volume_profile(env, params, keys)
    if not profile.sum() > 0:
        raise InputError("vwap: nothing was traded where its volume profile is measured; choose other hours")
    return vwap(int(params.task.lots), profile)


STRATEGIES = Strategies(
    make=_make,
    names=("twap", "vwap", "submit_and_leave", "immediate"),
    models=MODELS,
    profiled=("vwap",),
)
