"""What is measured of a portfolio."""

from typing import Any

import jax
import jax.numpy as jnp

from lobjax import clock
from lobjax.env.measures import Measures, Metric, Watch

METRICS = (
    Metric(
        "log_wealth", "log growth", "", "higher",
        "The logarithm of wealth at the end of an episode over wealth at its start, costs paid; 0.01 is about one percent.",
    ),
    Metric("excess_log_wealth", "over the benchmark", "", "higher", "The same less that of the benchmark, which pays no costs."),
    Metric("max_drawdown", "drawdown", "of the peak", "lower", "The deepest fall of wealth from its highest in an episode."),
    Metric("turnover", "turnover", "of wealth", "", "What was bought and sold in an episode, the first purchase included."),
    Metric("cost_log", "costs", "of log growth", "lower", "What trading took from log growth in an episode."),
)  # fmt: skip


def watch(params: Any) -> Watch:
    """As `lobjax.env.measures.position`, of a market without a book: what is invested stands for the position."""

    def seen(state: Any) -> dict[str, jax.Array]:
        none = jnp.int32(0)
        return {
            "inventory_lots": jnp.abs(state.market.weights).sum(),
            "spread_ticks": none,
            "volume_lots": none,
            "own_lots": none,
            "clock_s": clock.to_seconds(state.market.now),
        }

    return seen


MEASURES = Measures(metrics=METRICS, headline="log_wealth", watch=watch)
