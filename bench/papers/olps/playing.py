"""A rule over a set of price relatives, as the tables were made: trades at the prices that were decided on, costs by the simple rule."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from lobjax.errors import InputError, nearest
from lobjax.portfolio.rules.base import Online
from lobjax.portfolio.rules.hindsight import best_asset, best_constant
from lobjax.portfolio.rules.online import ONLINE
from lobjax.reading import read_npz

HINDSIGHT = ("best", "bcrp")
_MOST_RELATIVE = 1e6


class Outcome(NamedTuple):
    """What came of it."""

    wealth: float
    turnover: float  # sum of |w - drifted|, first purchase included
    log_returns: np.ndarray  # float64 [T]


class Constant:
    """Weights that do not depend on what is observed; bought once, or restored in every period."""

    def __init__(self, weights: np.ndarray, *, held: bool) -> None:
        self.weights, self.held = weights, held

    def observe(self, relatives: np.ndarray) -> None:
        """As `Online.observe`."""
        if self.held:
            self.weights = self.weights * relatives / (self.weights @ relatives)


def rule_of(name: str, relatives: np.ndarray) -> Online:
    """The rule of a name; InputError names the nearest. `best` and `bcrp` know all of `relatives` beforehand."""
    if name == "best":
        return Constant(best_asset(relatives), held=True)
    if name == "bcrp":
        return Constant(best_constant(relatives), held=False)
    if name not in ONLINE:
        raise InputError(f"--rule: unknown rule '{name}'; {nearest(name, [*ONLINE, *HINDSIGHT])}")
    return ONLINE[name](relatives.shape[1])


def play(relatives: np.ndarray, rule: Online, gamma: float = 0.0) -> Outcome:
    """From wealth 1: each period w'x (1 - gamma/2 sum |w - last drifted|), from nothing in the first one.

    As the OLPS toolbox has it, drifted weights are divided by growth after costs: they sum to a little more than 1.
    """
    last, logs, turnover = np.zeros(relatives.shape[1]), np.empty(len(relatives)), 0.0
    for t, x in enumerate(relatives):
        weights = rule.weights
        traded = float(np.abs(weights - last).sum())
        growth = float(weights @ x) * (1 - gamma / 2 * traded)
        turnover += traded
        logs[t] = np.log(growth)
        last = weights * x / growth
        rule.observe(x)
    return Outcome(float(np.exp(logs.sum())), turnover, logs)


def read_relatives(data: Path, name: str, columns: tuple[int, ...] = ()) -> np.ndarray:
    """The relatives [T, N] of a set in an .npz; InputError where it is not there, or holds what is no relative."""
    arrays = read_npz(data, advice="give the .npz of the OLPS sets")
    if name not in arrays:
        raise InputError(f"{data}: has no set '{name}'; {nearest(name, arrays)}")
    found = np.asarray(arrays[name])
    if found.ndim != 2 or found.dtype.kind not in "fiu" or not found.size:
        raise InputError(f"{data}: '{name}' is {found.dtype} {list(found.shape)}, not numbers [period, asset]")
    found = found.astype(np.float64)
    wrong = np.argwhere(~((found > 1 / _MOST_RELATIVE) & (found < _MOST_RELATIVE)))
    if len(wrong):
        t, k = wrong[0]
        raise InputError(f"{data}: '{name}' row {t}, column {k}: {found[t, k]:g} is no price over the last price")
    if any(not 0 <= column < found.shape[1] for column in columns) or len(set(columns)) < len(columns):
        raise InputError(
            f"--columns {','.join(map(str, columns))}: choose different ones from 0 to {found.shape[1] - 1}"
        )
    return found[:, list(columns)] if columns else found
