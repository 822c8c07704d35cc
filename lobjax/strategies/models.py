"""The closed forms as strategies for an environment: their numbers as configuration, and what is not given measured in the market."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Annotated, NamedTuple

import jax
import numpy as np

from lobjax.env import Environment, EnvParams
from lobjax.errors import InputError
from lobjax.players import Strategy
from lobjax.ranges import Range, check
from lobjax.settings import key_of
from lobjax.strategies.almgren_chriss import ImpactConfig, almgren_chriss
from lobjax.strategies.avellaneda_stoikov import avellaneda_stoikov
from lobjax.strategies.cartea_jaimungal import cartea_jaimungal
from lobjax.strategies.depths import check_table, depth_quoter
from lobjax.strategies.gueant_lehalle_fernandez_tapia import gueant_lehalle_fernandez_tapia
from lobjax.strategies.measure import measure_fills, measure_mids, step_seconds

_EPISODES = 512  # by which a market is measured


@dataclass(frozen=True, kw_only=True)
class QuotingConfig:
    """What a market maker believes and dislikes. A unit of inventory is one quote; what is None is measured in the market."""

    volatility: Annotated[float, Range(0.0, 1e6)] | None = None  # sigma, ticks / sqrt(s)
    fill_rate: Annotated[float, Range(1e-9, 1e6)] | None = None  # A, quotes filled per second at the mid
    decay: Annotated[float, Range(1e-6, 1e3)] | None = None  # k, 1 / tick: fills come at A exp(-k depth)
    # Gamma, 1 / (ticks x quotes): Avellaneda-Stoikov and Gueant-Lehalle-Fernandez-Tapia.
    risk_aversion: Annotated[float, Range(1e-9, 1e3)] = 0.1
    # Phi, ticks per squared quote and second: Cartea-Jaimungal.
    running_penalty: Annotated[float, Range(0.0, 1e3)] = 0.001
    # Alpha, ticks per squared quote held at the end: Cartea-Jaimungal.
    terminal_penalty: Annotated[float, Range(0.0, 1e3)] = 0.1

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class ModelsConfig:
    """The numbers of all closed forms."""

    impact: ImpactConfig = field(default_factory=ImpactConfig)
    quoting: QuotingConfig = field(default_factory=QuotingConfig)


def execution_model(
    name: str, env: Environment, params: EnvParams, config: ModelsConfig, other: Environment | None
) -> Strategy:
    """Almgren-Chriss. InputError where steps have no length in time, or numbers are missing or do not fit."""
    _check_clock(name, env)
    impact = config.impact
    if impact.volatility is None:
        mids = measure_mids(*_ground(name, env, params, other), _keys())
        impact = replace(impact, volatility=mids.volatility)
    with _naming(name):
        return almgren_chriss(int(params.task.lots), int(params.task.decisions), step_seconds(params), impact)


def quoting_models(
    names: tuple[str, ...], env: Environment, params: EnvParams, config: ModelsConfig, other: Environment | None
) -> dict[str, Strategy]:
    """The quoters named, over the task's lots, limits and time. InputError as `execution_model`."""
    if not names:
        return {}
    _check_clock(names[0], env)
    known = _known(names[0], env, params, config.quoting, other)
    quote_lots, limit = int(params.task.quote_lots), int(params.task.inventory_limit)
    found = {}
    for name in names:
        with _naming(name):
            found[name] = depth_quoter(_depths(name, known, config.quoting, params), quote_lots, limit)
    return found


class _Known(NamedTuple):
    volatility: float
    fill_rate: float
    decay: float


def _depths(name: str, known: _Known, quoting: QuotingConfig, params: EnvParams) -> np.ndarray:
    """Depths by decision, side and units held: the models' tables by time left, turned round and without the end itself."""
    step, decisions = step_seconds(params), int(params.task.decisions)
    check_table(decisions, int(params.task.inventory_limit))
    q_max = max(int(params.task.inventory_limit) // int(params.task.quote_lots), 1)
    utility = {"gamma": quoting.risk_aversion, "sigma": known.volatility, "k": known.decay}
    if name == "avellaneda_stoikov":
        return avellaneda_stoikov(step * np.arange(decisions, 0, -1), q_max, **utility)
    if name == "gueant_lehalle_fernandez_tapia":
        return gueant_lehalle_fernandez_tapia(step, decisions, q_max, fill_rate=known.fill_rate, **utility)[:0:-1]
    penalties = {"phi": quoting.running_penalty, "alpha": quoting.terminal_penalty}
    return cartea_jaimungal(
        step, decisions, q_max, arrival_rate=known.fill_rate, kappa=known.decay, **penalties
    )[:0:-1]  # fmt: skip


def _known(name: str, env: Environment, params: EnvParams, quoting: QuotingConfig, other: Environment | None) -> _Known:
    """What is given, and the rest measured."""
    sigma, fill_rate, decay = quoting.volatility, quoting.fill_rate, quoting.decay
    if sigma is not None and fill_rate is not None and decay is not None:
        return _Known(sigma, fill_rate, decay)
    env, params = _ground(name, env, params, other)
    mids = measure_mids(env, params, _keys())
    sigma = mids.volatility if sigma is None else sigma
    if fill_rate is not None and decay is not None:
        return _Known(sigma, fill_rate, decay)
    fills = measure_fills(env, params, _keys(), mids.spread)
    return _Known(sigma, fills.fill_rate if fill_rate is None else fill_rate, fills.decay if decay is None else decay)


def _keys() -> jax.Array:
    return jax.random.split(jax.random.fold_in(key_of(0), 0x5EED), _EPISODES)


def _ground(name: str, env: Environment, params: EnvParams, other: Environment | None) -> tuple[Environment, EnvParams]:
    """Where to measure: another environment, or a simulated one itself; never the recorded hours that are traded."""
    if other is not None:
        return other, other.default_params
    if env.starts:
        raise InputError(
            f"{name}: its numbers would be measured on the hours that are traded; give them, or other hours to measure on"
        )
    return env, params


def _check_clock(name: str, env: Environment) -> None:
    if env.market.step_messages:
        raise InputError(
            f"{name}: goes by the clock, but steps are counted in messages; set env.task.step_messages to 0"
        )


@contextmanager
def _naming(name: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise InputError(f"{name}: {error}") from None
