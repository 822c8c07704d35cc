"""Optimal execution with linear impact: the schedule of Almgren and Chriss, what it costs, and the efficient frontier.

The parent order X is traded in N periods of tau seconds each; x_k is what is left after period k, n_k what period k trades. The mid moves
with volatility sigma and by gamma for every lot sold; a period that trades at v lots a second fetches epsilon + eta v less per lot.
The schedule minimises mean + lambda * variance of the cost (R. Almgren and N. Chriss, "Optimal execution of portfolio transactions",
Journal of Risk 3 (2001), 5-39; equation numbers are the paper's). Any unit of price, size and time will do, kept throughout; in
the environments of this package: ticks, lots, seconds. On the host, in float64.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, NamedTuple

import numpy as np

from lobjax.ranges import Range, check
from lobjax.strategies.schedules import Scheduled, vwap


@dataclass(frozen=True, kw_only=True)
class ImpactConfig:
    """What trading costs, and how much risk may cost. The defaults suit the simulated market of this package."""

    risk_aversion: Annotated[float, Range(0.0, 1e6)] = 0.01  # lambda, 1 / (ticks x lots)
    # Sigma, ticks / sqrt(s); None: measured in the market that is traded.
    volatility: Annotated[float, Range(0.0, 1e6)] | None = None
    temporary: Annotated[float, Range(1e-9, 1e9)] = 0.8  # eta, ticks per (lot / s)
    permanent: Annotated[float, Range(0.0, 1e6)] = 0.0  # gamma, ticks per lot
    fixed: Annotated[float, Range(0.0, 1e6)] = 0.5  # epsilon, ticks: half the spread and fees

    def __post_init__(self) -> None:
        check(self)


class Cost(NamedTuple):
    """Of selling at the prices after impact, against the price at arrival; ticks x lots."""

    mean: float
    std: float


def optimal_trades(impact: ImpactConfig, lots: float, periods: int, period_s: float) -> np.ndarray:
    """Lots to trade in each period, float64 `[N]` (equation 18). Equal ones where risk costs nothing.

    ValueError where the volatility is not given, or permanent impact is so large that trading faster is cheaper (eta <= gamma tau / 2).
    """
    left = _left(_urgency(impact, period_s), periods, period_s)
    return -lots * np.diff(left)


def cost(impact: ImpactConfig, trades: np.ndarray, period_s: float) -> Cost:
    """Mean and standard deviation of the cost of any schedule `[N]` of one sign (equations 4 and 5)."""
    trades = np.abs(np.asarray(trades, np.float64))
    left = trades.sum() - np.cumsum(trades)
    temporary = impact.fixed * trades.sum() + impact.temporary * np.sum(trades**2) / period_s
    permanent = impact.permanent * np.sum(left * trades)
    return Cost(float(temporary + permanent), float(_volatility(impact) * np.sqrt(period_s * np.sum(left**2))))


def frontier(
    impact: ImpactConfig, lots: float, periods: int, period_s: float, risk_aversions: Sequence[float]
) -> list[Cost]:
    """The efficient frontier: for each risk aversion, the least mean cost at its standard deviation (section 2.3)."""
    impacts = [replace(impact, risk_aversion=value) for value in risk_aversions]
    return [cost(one, optimal_trades(one, lots, periods, period_s), period_s) for one in impacts]


def almgren_chriss(lots: int, decisions: int, step_s: float, impact: ImpactConfig) -> Scheduled:
    """The strategy: whole lots that follow the optimal schedule, sent as TWAP's are."""
    return vwap(lots, np.maximum(optimal_trades(impact, lots, decisions, step_s), 0))


def _urgency(impact: ImpactConfig, period_s: float) -> float:
    """kappa, 1 / s: what is left falls as sinh(kappa (T - t)). From 2 (cosh(kappa tau) - 1) = tau^2 lambda sigma^2 / eta~."""
    eta = impact.temporary - 0.5 * impact.permanent * period_s
    if eta <= 0:
        raise ValueError(
            f"temporary impact {impact.temporary:g} must exceed half the permanent impact of a period, {impact.temporary - eta:g}"
        )
    per_s = np.sqrt(impact.risk_aversion * _volatility(impact) ** 2 / eta)
    return float(2 * np.arcsinh(0.5 * per_s * period_s) / period_s)


def _left(kappa: float, periods: int, period_s: float) -> np.ndarray:
    """Share of the parent order that is left after 0..N periods (equation 17), for any kappa >= 0 without overflow."""
    elapsed = np.arange(periods + 1) * period_s
    ahead = elapsed[-1] - elapsed
    if kappa * elapsed[-1] < 1e-8:
        return ahead / elapsed[-1]
    return np.exp(-kappa * elapsed) * np.expm1(-2 * kappa * ahead) / np.expm1(-2 * kappa * elapsed[-1])


def _volatility(impact: ImpactConfig) -> float:
    if impact.volatility is None:
        raise ValueError("volatility is not known; give it, or measure it (lobjax.strategies.measure)")
    return impact.volatility
