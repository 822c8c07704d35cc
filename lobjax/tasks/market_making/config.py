"""The choices of the task of market making."""

from dataclasses import dataclass
from typing import Annotated, Literal

from lobjax.ranges import Length, Range, check
from lobjax.tasks.episodes import DAY_S, check_episode

_MOST = (1 << 20) - 1


@dataclass(frozen=True, kw_only=True)
class MakingConfig:
    """How much may be quoted where, and what inventory costs."""

    kind: Literal["market_making"] = "market_making"
    quote_lots: Annotated[int, Range(1, _MOST)] = 5
    inventory_limit_lots: Annotated[int, Range(1, _MOST)] = 20
    decisions: Annotated[int, Range(1, _MOST)] = 60
    step_s: Annotated[float, Range(1e-6, DAY_S)] = 1.0
    # If not 0, a step lasts instead until so many messages of the flow have come.
    step_messages: Annotated[int, Range(0, _MOST)] = 0
    # Behind the best price of the side; negative improves it.
    offsets_ticks: Annotated[tuple[Annotated[int, Range(-_MOST, _MOST)], ...], Length(1, 64)] = (-1, 0, 1, 2, 3)
    # Ticks x lots, for each squared lot held at the end of a step.
    inventory_penalty: Annotated[float, Range(0.0, 1e6)] = 0.01
    price_scale_ticks: Annotated[float, Range(1e-3, 1e6)] = 5.0  # the unit of prices in observations

    def __post_init__(self) -> None:
        check(self)
        check_episode(self)
