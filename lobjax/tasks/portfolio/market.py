"""A panel of prices as the market of an environment: what is sent are target weights, and a step is one session.

It has what `lobjax.env.base.Venue` asks of a market. A step from the close of `T`: trade at the open of `T + 1`, earn until the open of
`T + 2`, by `lobjax.portfolio.device`. A row of the panel is read by index; nothing stamped after the close of `T` is looked at before the
trade.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.clock import Time
from lobjax.engine import Choice
from lobjax.portfolio.device import CostRates, DevicePanel, earned, sent_or_held
from lobjax.portfolio.tables import Tables
from lobjax.wide import high_product

RUIN = -13.8  # the log return in which wealth is gone, one millionth being left: rewards are finite


class Sent(NamedTuple):
    """What an agent sends. Zeros hold."""

    weights: jax.Array  # float32 [N], wanted after the trade
    trades: jax.Array  # bool, false: hold


class PortfolioParams(flax.struct.PyTreeNode):
    """The panel on the device, and the rules' numbers: any of them may be swept with `vmap`, the panel shared."""

    panel: DevicePanel
    universe: jax.Array  # bool [N], what may be bought and sold; others cannot
    costs: CostRates
    benchmark: jax.Array  # float32 [S], e^r - 1 of the benchmark from this open to the next
    time: Time  # int32 [S], since the first session
    starts: jax.Array  # int32 [K], sessions of numbered episodes, which do not overlap
    first: jax.Array  # int32, the first session that may be decided at
    last: jax.Array  # int32, the last one
    least: jax.Array  # int32, decisions of a drawn episode at least
    most: jax.Array  # int32, and at most
    cash_return: jax.Array  # float32, of a session


class PortfolioState(flax.struct.PyTreeNode):
    """Where a portfolio stands, at the close of session `t`, and what its last step was."""

    t: jax.Array  # int32
    now: Time
    weights: jax.Array  # float32 [N], before the next trade
    length: jax.Array  # int32, decisions that this episode has
    steps: jax.Array  # int32, decisions taken
    before: jax.Array  # float32 [N], of the last step: weights before its trade
    after: jax.Array  # float32 [N], and after
    kept: jax.Array  # float32, mu
    turnover: jax.Array  # float32
    log_return: jax.Array  # float32; `RUIN` where wealth is gone
    gone: jax.Array  # bool
    benchmark: jax.Array  # float32, log return of the benchmark in it
    held: jax.Array  # int32, steps without a trade

    def counts(self) -> dict[str, jax.Array]:
        """For `info`."""
        return {"held_steps": self.held}


@dataclass(frozen=True, kw_only=True, eq=False)
class PortfolioMarket:
    """See the module's text. `tables` are those of the panel, for strategies that are worked out beforehand."""

    tables: Tables

    @property
    def step_messages(self) -> int:
        """0: there are none to count."""
        return 0

    @property
    def runs_on(self) -> Choice:
        """No engine is chosen: there are no messages to match."""
        return Choice("xla", "portfolios have no messages to match")

    def open(self, key: jax.Array, params: PortfolioParams, start: jax.Array | None = None) -> PortfolioState:
        """All cash, at a session and for a length that are drawn, or at the start numbered `start` for the most decisions."""
        if start is None:
            one, two = jax.random.bits(key, (2,), jnp.uint32)
            length = params.least + _below(one, params.most - params.least + 1)
            t = params.first + _below(two, params.last - length + 2 - params.first)
        else:
            t, length = params.starts[start % params.starts.shape[0]], params.most
        none, cash = jnp.float32(0), jnp.zeros(params.universe.shape, jnp.float32)
        return PortfolioState(
            t=t, now=_time_at(params, t), weights=cash, length=length, steps=jnp.int32(0), before=cash, after=cash, kept=none + 1,
            turnover=none, log_return=none, gone=jnp.bool_(False), benchmark=none, held=jnp.int32(0),
        )  # fmt: skip

    def step(
        self, key: jax.Array, state: PortfolioState, orders: Sent, until: Any, params: PortfolioParams
    ) -> PortfolioState:
        """One session further; nothing is drawn, and `until` is not looked at."""
        panel, at = params.panel, state.t + 1
        buy, sell = params.costs.at(panel.sigma[state.t])
        tradable = panel.tradable[at] & params.universe
        trade = sent_or_held(orders.trades, state.weights, orders.weights, tradable, buy, sell)
        result = earned(trade, panel.returns[at], params.cash_return)
        gone = ~(result.growth > 0)
        log_return = jnp.where(gone, RUIN, jnp.maximum(result.log_return, RUIN))
        return PortfolioState(
            t=at, now=_time_at(params, at), weights=result.drifted, length=state.length, steps=state.steps + 1, before=state.weights,
            after=trade.weights, kept=trade.kept, turnover=trade.turnover, log_return=log_return,
            gone=gone, benchmark=jnp.log1p(params.benchmark[at]), held=state.held + (~orders.trades).astype(jnp.int32),
        )  # fmt: skip


def _below(bits: jax.Array, count: jax.Array) -> jax.Array:
    """From 0 to count - 1, int32, by one draw."""
    return high_product(bits, count.astype(jnp.uint32)).astype(jnp.int32)


def _time_at(params: PortfolioParams, t: jax.Array) -> Time:
    return Time(params.time.s[t], params.time.ns[t])
