"""Baselines on a panel by name: each decides at the close of `T` from what is known then, and is played by `lobjax.portfolio.play`.

An asset counts where it is listed and has a bar at `T`; for a covariance or a momentum, where its close is known over the whole
look-back too. Monthly
rules decide at the last session of each month and at the first decision, and hold between. Online rules know all assets of the panel:
one that has no bar has the relative 1, and what they put on one that is not there stays cash.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lobjax.portfolio.playing import Decide
from lobjax.portfolio.rules.allocation import inverse_volatility, min_variance, risk_parity
from lobjax.portfolio.rules.hierarchical import hrp
from lobjax.portfolio.rules.online import ONLINE
from lobjax.portfolio.tables import Tables
from lobjax.registry import Registry

LOOK_BACK = 252  # sessions of a covariance
_MOMENTUM = (252, 21, 3)  # from, until, how many

Rule = Callable[[Tables, int], np.ndarray]  # tables, T -> weights [N]
Maker = Callable[[Tables, int], Decide]  # tables, first decision -> what decides


def equal_weights(tables: Tables, t: int) -> np.ndarray:
    """1/N of what has a bar."""
    return tables.bar[t] / max(1, tables.bar[t].sum())


def of_covariance(allocate: Callable[[np.ndarray], np.ndarray]) -> Rule:
    """Weights from the sample covariance (ddof 1) of the last simple close-to-close changes; cash where no asset has them all."""

    def weights(tables: Tables, t: int) -> np.ndarray:
        found = np.zeros(len(tables.symbols))
        able = _known_since(tables, t, LOOK_BACK)
        if able.any():
            close = tables.close[t - LOOK_BACK : t + 1, able]
            found[able] = allocate(np.atleast_2d(np.cov(close[1:] / close[:-1] - 1, rowvar=False, ddof=1)))
        return found

    return weights


def momentum_12_1(tables: Tables, t: int) -> np.ndarray:
    """A third in each of the three that gained most from 252 to 21 sessions ago; fewer where fewer are known, the rest cash."""
    since, until, most = _MOMENTUM
    found = np.zeros(len(tables.symbols))
    able = np.flatnonzero(_known_since(tables, t, since))
    if len(able):
        gained = np.log(tables.close[t - until, able] / tables.close[t - since, able])
        found[able[np.argsort(-gained, kind="stable")[:most]]] = 1 / most
    return found


def _known_since(tables: Tables, t: int, sessions: int) -> np.ndarray:
    if t < sessions:
        return np.zeros(len(tables.symbols), bool)
    return tables.bar[t] & np.isfinite(tables.close[t - sessions])


def daily(rule: Rule) -> Maker:
    """Decide at every session."""
    return lambda tables, first: lambda t, before: rule(tables, t)


def monthly(rule: Rule) -> Maker:
    """Decide at the first decision and at the last session of each month."""

    def maker(tables: Tables, first: int) -> Decide:
        month = tables.sessions.astype("datetime64[M]")
        ends = np.append(month[1:] != month[:-1], False)
        return lambda t, before: rule(tables, t) if t == first or ends[t] else None

    return maker


def once(rule: Rule) -> Maker:
    """Decide once, then hold."""
    return lambda tables, first: lambda t, before: rule(tables, t) if t == first else None


@dataclass
class _Playing:
    """An online rule from its first decision on: 1/N there, then it learns a session's relatives at its close."""

    name: str
    tables: Tables
    first: int

    def __post_init__(self) -> None:
        self.rule, self.known = ONLINE[self.name](len(self.tables.symbols)), self.first
        self.relatives = relatives_of(self.tables)

    def __call__(self, t: int, before: np.ndarray) -> np.ndarray:
        while self.known < t:
            self.known += 1
            self.rule.observe(self.relatives[self.known])
        return self.rule.weights


def online(name: str) -> Maker:
    """An online rule on close-to-close relatives."""
    return lambda tables, first: _Playing(name, tables, first)


def relatives_of(tables: Tables) -> np.ndarray:
    """Adjusted close over the last session's, float64 [S, N]; 1 where there is none."""
    found = np.ones_like(tables.close)
    with np.errstate(invalid="ignore"):
        found[1:] = tables.close[1:] / tables.close[:-1]
    return np.where(np.isfinite(found), found, 1.0)


BASELINES: Registry[Maker] = Registry(
    "baseline",
    {
        "equal_daily": daily(equal_weights),
        "equal_monthly": monthly(equal_weights),
        "buy_and_hold": once(equal_weights),
        "inverse_volatility": monthly(of_covariance(inverse_volatility)),
        "min_variance": monthly(of_covariance(min_variance)),
        "risk_parity": monthly(of_covariance(risk_parity)),
        "hrp": monthly(of_covariance(hrp)),
        "momentum_12_1": monthly(momentum_12_1),
        **{name: online(name) for name in ONLINE if name not in ("ubah", "ucrp")},
    },
)
