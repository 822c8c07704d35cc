"""Figures of a path of wealth: simple returns a step, ddof 1, 252 sessions a year, no risk-free rate."""

import numpy as np

from lobjax.portfolio.playing import Path

SESSIONS_A_YEAR = 252


def figures(path: Path, sessions_a_year: float = SESSIONS_A_YEAR) -> dict[str, float | int]:
    """`steps`, `final_wealth`, `annual_return`, `annual_volatility`, `sharpe`, `max_drawdown` (of wealth that starts at 1, negative),
    `turnover_per_year`. Steps after wealth is gone count as steps that return nothing; a Sharpe ratio without any risk is 0.
    """
    steps = len(path.log_return)
    simple = np.expm1(np.nan_to_num(path.log_return, nan=0.0))
    wealth = np.cumprod(np.append(1.0, np.exp(np.where(np.isnan(path.log_return), 0.0, path.log_return))))
    deviation = float(simple.std(ddof=1)) if steps > 1 else 0.0
    return {
        "steps": steps,
        "final_wealth": float(wealth[-1]),
        "annual_return": float(wealth[-1] ** (sessions_a_year / steps) - 1),
        "annual_volatility": deviation * float(np.sqrt(sessions_a_year)),
        "sharpe": float(simple.mean() / deviation * np.sqrt(sessions_a_year)) if deviation > 0 else 0.0,
        "max_drawdown": float((wealth / np.maximum.accumulate(wealth) - 1).min()),
        "turnover_per_year": float(np.nansum(path.turnover) / steps * sessions_a_year),
    }
