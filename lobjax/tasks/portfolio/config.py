"""The choices of a portfolio."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from lobjax.errors import InputError
from lobjax.portfolio.actions import Form
from lobjax.portfolio.costs import Costs, read_costs
from lobjax.ranges import Length, Range, check


@dataclass(frozen=True, kw_only=True)
class PortfolioConfig:
    """Which prices, which dates, what an action means, what a trade costs, what is rewarded."""

    kind: Literal["portfolio"] = "portfolio"
    prices: Path | None = None  # raw daily bars as CSV; none: a made-up panel of the sizes below
    actions: Path | None = None  # splits and dividends
    listings: Path | None = None  # delistings
    symbols: Annotated[tuple[str, ...], Length(0, 1000)] = ()  # of the prices; none: all
    since: str = ""  # the first session, as 2008-01-02; the first decision is at the close of the one before
    until: str = ""  # the last session, at whose open the last step ends
    made_up_assets: Annotated[int, Range(1, 1000)] = 10
    made_up_sessions: Annotated[int, Range(8, 100_000)] = 2000
    made_up_seed: Annotated[int, Range(0, (1 << 31) - 1)] = 0
    decisions: Annotated[int, Range(1, 1_000_000)] = 252  # of an episode at most
    least_decisions: Annotated[int, Range(0, 1_000_000)] = 0  # lengths are drawn from here on; 0: all have `decisions`
    window: Annotated[int, Range(1, 2000)] = 60  # sessions of an observation
    form: Form = "clip"  # of an action, see `lobjax.portfolio.actions`
    cost: str = "none"  # fixed:0.001, fixed:BUY/SELL, volatility:0.0002,0.05
    leverage_limit: Annotated[float, Range(1e-3, 1.0)] = 1.0  # of sum |w|
    turnover_limit: Annotated[float, Range(1e-6, 2.0)] = 2.0  # of sum |w - b| in a step
    least_turnover: Annotated[float, Range(0, 2.0)] = 0.0  # what would trade less than this holds
    cash_rate: Annotated[float, Range(-0.5, 1.0)] = 0.0  # a year of 252 sessions
    reward: Literal["log_return", "differential_sharpe", "drawdown"] = "log_return"
    sharpe_decay: Annotated[float, Range(1e-4, 0.5)] = 0.01  # eta of the differential Sharpe ratio
    drawdown_penalty: Annotated[float, Range(0, 100)] = 1.0  # of each new depth of drawdown, as a share of the peak
    benchmark: str = ""  # a symbol; none: equal weights, daily, without costs
    step_s: ClassVar[float] = 86_400.0  # a session
    step_messages: ClassVar[int] = 0

    def __post_init__(self) -> None:
        check(self)
        if self.least_decisions > self.decisions:
            raise ValueError(f"least_decisions {self.least_decisions} is above decisions {self.decisions}; lower it")
        self.costs()

    def costs(self) -> Costs:
        """The rates; ValueError where `cost` is none."""
        try:
            return read_costs(self.cost, "cost")
        except InputError as error:
            raise ValueError(str(error)) from None
