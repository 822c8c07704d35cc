"""What a dollar traded costs: nothing, a fixed rate, or one that rises with recent volatility; by side where buying and selling differ."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from lobjax.errors import InputError, nearest
from lobjax.portfolio.accounting import Rates
from lobjax.ranges import Range, check

MOST_RATE = 0.2  # of a dollar: beyond it, a trade's cost is no longer small beside what it buys
_RATE = Range(0, MOST_RATE)
_FORMS = "none, fixed:RATE, fixed:BUY/SELL, or volatility:RATE,FACTOR (each number may be BUY/SELL)"


@dataclass(frozen=True, kw_only=True)
class Costs:
    """k = base + factor x sigma, for what is bought and for what is sold."""

    buy_base: Annotated[float, _RATE] = 0.0
    sell_base: Annotated[float, _RATE] = 0.0
    buy_factor: Annotated[float, Range(0, 10)] = 0.0
    sell_factor: Annotated[float, Range(0, 10)] = 0.0

    def __post_init__(self) -> None:
        check(self)

    def rates(self, sigma: np.ndarray) -> Rates:
        """By side, in the shape of `sigma`; never above `MOST_RATE`."""
        return Rates(
            np.minimum(self.buy_base + self.buy_factor * sigma, MOST_RATE),
            np.minimum(self.sell_base + self.sell_factor * sigma, MOST_RATE),
        )


def read_costs(text: str, where: str = "--cost") -> Costs:
    """`none`, `fixed:0.001`, `fixed:0.001/0.002` (bought, sold), `volatility:0.0002,0.05`; InputError otherwise."""
    kind, _, numbers = text.partition(":")
    wanted = {"none": 0, "fixed": 1, "volatility": 2}
    if kind not in wanted:
        raise InputError(f"{where} {text}: unknown cost '{kind}'; {nearest(kind, wanted)}")
    parts = numbers.split(",") if numbers else []
    if len(parts) != wanted[kind]:
        raise InputError(f"{where} {text}: {kind} takes {wanted[kind]} numbers, found {len(parts)}; write {_FORMS}")
    pairs = [_pair(part, text, where) for part in parts] + [(0.0, 0.0)] * (2 - len(parts))
    (buy_base, sell_base), (buy_factor, sell_factor) = pairs
    try:
        return Costs(buy_base=buy_base, sell_base=sell_base, buy_factor=buy_factor, sell_factor=sell_factor)
    except ValueError as error:
        raise InputError(f"{where} {text}: {error}") from None


def _pair(part: str, text: str, where: str) -> tuple[float, float]:
    try:
        found = [float(number) for number in part.split("/")]
    except ValueError:
        raise InputError(f"{where} {text}: '{part}' is no number; write {_FORMS}") from None
    if len(found) > 2:
        raise InputError(f"{where} {text}: '{part}' has more than two sides; write {_FORMS}")
    return found[0], found[-1]
