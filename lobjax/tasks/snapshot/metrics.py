"""What is measured of a snapshot trader."""

from typing import Any

import jax
import jax.numpy as jnp

from lobjax import clock
from lobjax.env.measures import Measures, Metric, Watch
from lobjax.snapshot.account import mid2_ticks
from lobjax.wide import minus, to_float

METRICS = (
    Metric(
        "profit_bps", "profit", "bp", "higher",
        "What the account would fetch at the end of an episode, its position traded away against the visible book and fees paid, "
        "less the cash it began with, as a share of that cash, in basis points (hundredths of a percent).",
    ),
    Metric("profit_ticks", "profit", "ticks × lots", "higher", "The same in money."),
    Metric("fees_ticks", "fees", "ticks × lots", "lower", "Fees paid in an episode on what was executed; negative is a rebate."),
    Metric("traded_lots", "traded", "lots", "", "Lots bought and sold in an episode."),
    Metric("position_lots", "position at the end", "lots", "", "The position at the end of an episode; short is negative."),
    Metric("peak_position_lots", "peak position", "lots", "", "The largest position held, long or short."),
    Metric("drawdown_bps", "drawdown", "bp", "lower", "The deepest fall of the account's worth from its highest in an episode."),
    Metric("held_share", "held still", "of decisions", "", "The share of decisions that sent no order."),
)  # fmt: skip


def watch(params: Any) -> Watch:
    """As `lobjax.env.measures.position`, of a market that shows no volume; and twice the mid, and what the account gained."""

    def seen(state: Any) -> dict[str, jax.Array]:
        market, opening = state.market, state.task.opening_value
        bid, ask = market.bids[0], market.asks[0]
        return {
            "inventory_lots": market.account.position,
            "spread_ticks": jnp.where((bid[1] > 0) & (ask[1] > 0), ask[0] - bid[0], 0),
            "volume_lots": jnp.int32(0),
            "own_lots": jnp.int32(0),
            "clock_s": clock.to_seconds(market.now),
            "mid2_ticks": mid2_ticks(market.bids, market.asks),
            "profit_bps": to_float(minus(market.value, opening)) / to_float(opening) * 1e4,
        }

    return seen


MEASURES = Measures(metrics=METRICS, headline="profit_bps", watch=watch)
