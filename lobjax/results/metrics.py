"""Counts that must be zero for a result to be what it says. What is measured of an episode is in `lobjax.env.measures`."""

from lobjax.env.measures import Measures, Metric

__all__ = ["MUST_BE_ZERO", "MUST_NOT_HAPPEN", "Measures", "Metric"]

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
