"""What the seats of a player did, as sums over episodes: where its profit came from, and how it traded to make it.

Lots that the venue closed count as traded, and not as sent by the seat.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from backtest.arena.episodes import Played
from backtest.arena.resampling import Statistic, mean, sharpe


class Figure(NamedTuple):
    """Of a player: a function of sums over episodes, and how they are made of means over its seats."""

    label: str
    unit: str
    statistic: Statistic
    columns: Callable[[dict[str, np.ndarray]], tuple[np.ndarray, ...]]  # figures [E] -> columns [E]


Seats = dict[str, np.ndarray]


def of_seats(played: Played, seats: list[int]) -> Seats:
    """Means over seats of each figure, [E]."""
    return {name: values[:, seats].mean(axis=1) for name, values in played.seats.items()}


def sums(figure: Figure, worlds: list[Seats]) -> np.ndarray:
    """Per-episode sums [E, K] of a figure over several mixtures."""
    return np.sum([np.stack(figure.columns(world), axis=-1) for world in worlds], axis=0)


def traded(seats: Seats) -> np.ndarray:
    """Lots."""
    return seats["maker_lots"] + seats["taker_lots"]


def inventory(seats: Seats) -> np.ndarray:
    """Profit from prices that moved while lots were held: what is neither spread captured nor fees."""
    return seats["profit_ticks"] - seats["spread_captured_ticks"] + seats["fees_ticks"]


def _mean(label: str, unit: str, value: Callable[[Seats], np.ndarray]) -> Figure:
    return Figure(label, unit, mean, lambda seats: (value(seats), np.ones_like(value(seats))))


def _of(name: str) -> Callable[[Seats], np.ndarray]:
    return lambda seats: seats[name]


FIGURES = {
    "profit_ticks": _mean("profit", "ticks", _of("profit_ticks")),
    "spread_captured_ticks": _mean("spread captured", "ticks", _of("spread_captured_ticks")),
    "inventory_ticks": _mean("inventory", "ticks", inventory),
    "fees_ticks": _mean("fees paid", "ticks", _of("fees_ticks")),
    "traded_lots": _mean("traded", "lots", traded),
    "maker_share": Figure("traded as maker", "share", mean, lambda seats: (seats["maker_lots"], traded(seats))),
    "fill_rate": Figure("fill rate", "lots traded / sent", mean, lambda seats: (traded(seats), seats["submitted_lots"])),
    "order_to_trade": Figure("order to trade", "messages / lot traded", mean, lambda seats: (seats["messages"], traded(seats))),
    "drawdown_ticks": _mean("largest drawdown", "ticks", _of("drawdown_ticks")),
    "peak_inventory_lots": _mean("largest holding", "lots", _of("peak_inventory_lots")),
    "stopped_share": _mean("stopped", "share of episodes", _of("stopped")),
    "sharpe": Figure(
        "Sharpe", "mean / deviation of episodes", sharpe,
        lambda seats: (seats["profit_ticks"], seats["profit_ticks"] ** 2, np.ones_like(seats["profit_ticks"])),
    ),
}  # fmt: skip
