"""What is measured of a market maker."""

from lobjax.env.measures import Measures, Metric

METRICS = (
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
)  # fmt: skip

MEASURES = Measures(metrics=METRICS, headline="profit_ticks")
