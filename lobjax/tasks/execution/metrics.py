"""What is measured of an execution."""

from typing import Any

import jax
import jax.numpy as jnp

from lobjax.env.measures import Measures, Metric, Watch, position

METRICS = (
    Metric(
        "shortfall_ticks", "shortfall", "ticks", "lower",
        "Implementation shortfall: how much worse than the mid price at the order's arrival the average lot was traded, fees "
        "included. Positive is a cost, negative a gain.",
    ),
    Metric(
        "shortfall_bps", "shortfall", "bp", "lower",
        "The same as a share of the price at arrival, in basis points (hundredths of a percent).",
    ),
    Metric(
        "fill_rate", "filled in time", "of lots", "",
        "The share of the parent order that was traded before the deadline; the venue trades the rest at market when it strikes.",
    ),
    Metric("time_to_fill_s", "time to fill", "s", "", "Mean time from the order's arrival to the trade, over all lots."),
    Metric("fees_ticks", "fees", "ticks", "lower", "Fees paid per lot of the parent order; negative is a rebate received."),
    Metric(
        "spread_captured_ticks", "spread captured", "ticks", "higher",
        "How far beyond the mid price of the moment the average lot was traded. Positive when others crossed the spread to "
        "reach the order, negative when the order crossed it.",
    ),
    Metric("maker_share", "as maker", "of lots", "", "The share of lots that were traded as a resting order."),
    Metric("stuck_lots", "stuck", "lots", "lower", "Lots that not even the order at the deadline could trade."),
)  # fmt: skip


def watch(params: Any) -> Watch:
    """As `position`, with what is left to execute in its place."""
    at = position(params)

    def left(state: Any) -> dict[str, jax.Array]:
        seen = at(state)
        return {**seen, "inventory_lots": params.task.lots - jnp.abs(seen["inventory_lots"])}

    return left


MEASURES = Measures(metrics=METRICS, headline="shortfall_ticks", watch=watch)
