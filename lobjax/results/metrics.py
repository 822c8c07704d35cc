"""What is measured of an episode, by task: names of `info`, what they mean in words, and which way is better."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """One figure of an episode."""

    name: str  # in `info`
    label: str
    unit: str
    better: Literal["lower", "higher", ""]
    meaning: str


METRICS: dict[str, tuple[Metric, ...]] = {
    "execution": (
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
    ),
    "market_making": (
        Metric(
            "profit_ticks", "profit", "ticks × lots", "higher",
            "Cash, plus the position at the mid price, less fees, at the end of an episode.",
        ),
        Metric("fees_ticks", "fees", "ticks × lots", "lower", "Fees paid in an episode; negative is a rebate received."),
        Metric(
            "spread_captured_ticks", "spread captured", "ticks × lots", "higher",
            "How far beyond the mid price of the moment its trades were, summed over lots. Profit is this, less fees, plus what the "
            "position gained or lost as the price moved.",
        ),
        Metric("traded_lots", "traded", "lots", "", "Lots bought and sold in an episode."),
        Metric("closed_lots", "closed at the end", "lots", "", "Lots of position that the venue closed at market at the end."),
        Metric("peak_inventory_lots", "peak position", "lots", "lower", "The largest position held at the end of a step."),
    ),
    "snapshot": (
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
    ),
}  # fmt: skip

HEADLINE = {"execution": "shortfall_ticks", "market_making": "profit_ticks", "snapshot": "profit_bps"}

# Counts that must be zero for a result to be what it says, and what to do where one is not.
MUST_BE_ZERO = {
    "displaced": "orders of the agent pushed another off a full book; raise env.market.capacity",
    "flow_displaced": "orders of the market pushed another off a full book; raise env.market.capacity",
    "flow_refused": "orders of the market found a full book; raise env.market.capacity",
    "late": "steps reached their bound on messages before their time; raise env.market.max_messages",
    "dropped": "messages found the queue to the market full; raise env.market.queue_places",
    "inexact": "messages were too large and too far from the mid to be booked exactly; shorten the episode or use smaller lots",
    "stuck_lots": "lots found nobody to trade with even at the end; they are valued at the last price, or at mid",
}

# Of these, what makes the market another than the one asked for. Stuck lots do not: they are valued.
MUST_NOT_HAPPEN = tuple(name for name in MUST_BE_ZERO if name != "stuck_lots")


def metric(task: str, name: str) -> Metric:
    """The metric of a task by name."""
    return next(m for m in METRICS[task] if m.name == name)


def headline(task: str) -> Metric:
    """The figure that players are compared by."""
    return metric(task, HEADLINE[task])
