"""From a configuration to a portfolio's environment: prices are read, checked, and put on the device once."""

from dataclasses import fields

import jax.numpy as jnp
import numpy as np

from lobjax.clock import Time, from_seconds
from lobjax.data.prices import panel_from_csv
from lobjax.data.prices.panel import PricePanel
from lobjax.env import Environment, EnvParams
from lobjax.errors import InputError, nearest
from lobjax.flow import PoissonConfig
from lobjax.portfolio.device import cost_rates, on_device
from lobjax.portfolio.made_up import made_up
from lobjax.portfolio.tables import Tables, tables
from lobjax.portfolio.window import window
from lobjax.tasks.config import EnvConfig, MarketConfig
from lobjax.tasks.portfolio.config import PortfolioConfig
from lobjax.tasks.portfolio.market import PortfolioMarket, PortfolioParams
from lobjax.tasks.portfolio.task import PortfolioTask, PortfolioTaskParams

_FAR_S = 10**9  # a step is a session, whatever the clock says
_MEANS = {
    "clip": "shares of cash and each asset",
    "softmax": "scores of cash and each asset, by softmax",
    "signed": "signed shares of cash and each asset, by a / sum |a|",
    "long_short": "shares of cash, of each asset bought, of each sold short",
}


def make_portfolio(config: EnvConfig) -> Environment:
    """The environment; InputError where files are bad, a symbol is unknown, or the dates are too few."""
    task: PortfolioConfig = config.task
    _check_others(config)
    panel = panel_of(task)
    return environment(panel, task)


def panel_of(task: PortfolioConfig) -> PricePanel:
    """The prices that a configuration names; InputError where they are bad."""
    if task.prices is None:
        for name in ("actions", "listings"):
            if getattr(task, name) is not None:
                raise InputError(f"env.task.{name}: does nothing without env.task.prices; give those too")
        panel = made_up(task.made_up_sessions, task.made_up_assets, task.made_up_seed)
    else:
        panel = panel_from_csv(task.prices, task.actions, task.listings)
    for symbol in task.symbols:
        if symbol not in panel.symbols:
            raise InputError(f"env.task.symbols: the prices have no '{symbol}'; {nearest(symbol, panel.symbols)}")
    if len(set(task.symbols)) < len(task.symbols):
        raise InputError("env.task.symbols names one twice")
    return panel.select(task.symbols) if task.symbols else panel


def environment(panel: PricePanel, task: PortfolioConfig) -> Environment:
    """The environment of a panel that is there already; `task` says the rest."""
    found = tables(panel)
    span = window(found.sessions, task.since or None, task.until or None)
    if span.steps < task.decisions:
        raise InputError(
            f"env.task.decisions: {task.decisions} are more than the {span.steps} steps of the dates; lower it, or choose more"
        )
    device = on_device(found)
    last = span.first + span.steps - 1
    starts = np.arange(span.first, last - task.decisions + 2, task.decisions)
    seconds = (found.sessions - found.sessions[0]).astype("timedelta64[s]").astype(np.int64)
    single = jnp.float32
    market = PortfolioParams(
        panel=device,
        universe=jnp.ones(len(panel.symbols), bool),
        costs=cost_rates(task.costs()),
        benchmark=jnp.asarray(_benchmark(found, task.benchmark), single),
        time=Time(jnp.asarray(seconds, jnp.int32), jnp.zeros(len(seconds), jnp.int32)),
        starts=jnp.asarray(starts, jnp.int32),
        first=jnp.int32(span.first),
        last=jnp.int32(last),
        least=jnp.int32(task.least_decisions or task.decisions),
        most=jnp.int32(task.decisions),
        cash_return=single((1 + task.cash_rate) ** (1 / 252) - 1),
    )
    own = PortfolioTaskParams(
        panel=device, leverage_limit=single(task.leverage_limit), turnover_limit=single(task.turnover_limit),
        least_turnover=single(task.least_turnover), decay=single(task.sharpe_decay), penalty=single(task.drawdown_penalty),
    )  # fmt: skip
    return Environment(
        market=PortfolioMarket(tables=found),
        task=PortfolioTask(panel.symbols, task.window, task.form, task.reward),
        default_params=EnvParams(
            market=market,
            task=own,
            step_time=from_seconds(_FAR_S),
            warm_up=Time(jnp.zeros((0,), jnp.int32), jnp.zeros((0,), jnp.int32)),
        ),
        decisions=task.decisions,
        actions=f"{_MEANS[task.form]}: {', '.join(panel.symbols)}",
        starts=len(starts),
    )


def _benchmark(found: Tables, symbol: str) -> np.ndarray:
    """e^r - 1 from each open to the next: of a symbol, or of equal weights in what is listed at the close before."""
    if symbol:
        if symbol not in found.symbols:
            raise InputError(f"env.task.benchmark: the prices have no '{symbol}'; {nearest(symbol, found.symbols)}")
        return found.returns[:, found.symbols.index(symbol)]
    known = np.vstack([np.zeros((1, len(found.symbols)), bool), found.bar[:-1]])
    return (np.where(known, found.returns, 0).sum(1)) / np.maximum(known.sum(1), 1)


def _check_others(config: EnvConfig) -> None:
    """Every key acts, or is refused: prices have no flow and no market of messages."""
    if config.flow != PoissonConfig():
        raise InputError("env.flow: does nothing with a portfolio; leave it out")
    for field in fields(MarketConfig):
        if getattr(config.market, field.name) != field.default:
            raise InputError(f"env.market.{field.name}: does nothing with a portfolio; leave it out")
