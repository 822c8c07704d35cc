"""The choices of the task of optimal execution."""

from dataclasses import dataclass
from typing import Annotated, Literal

from lobjax.ranges import Length, Range, check
from lobjax.tasks.episodes import DAY_S, check_episode

_MOST = (1 << 20) - 1
_SCALE = Range(1e-3, 1e6)


@dataclass(frozen=True, kw_only=True)
class ExecutionConfig:
    """The parent order and how it may be worked."""

    kind: Literal["execution"] = "execution"
    side: Literal["sell", "buy"] = "sell"
    lots: Annotated[int, Range(1, _MOST)] = 40
    decisions: Annotated[int, Range(1, _MOST)] = 10
    step_s: Annotated[float, Range(1e-6, DAY_S)] = 6.0  # between decisions; the deadline is decisions * step_s
    # If not 0, a step lasts instead until so many messages of the flow have come.
    step_messages: Annotated[int, Range(0, _MOST)] = 0
    # Prices at which orders may rest, in ticks away from the reference: for a sale from the best bid ("opposite") or ask ("same") upwards.
    reference: Literal["opposite", "same"] = "opposite"
    offsets_ticks: Annotated[tuple[Annotated[int, Range(-_MOST, _MOST)], ...], Length(1, 64)] = (1, 2, 3, 4, 5)
    price_scale_ticks: Annotated[float, _SCALE] = 5.0  # the unit of prices in observations; the paper's is 10
    # "features": this package's own. "paper": that of Cheridito and Weiss, lot by lot, see `paper.py` beside this; it scales volumes
    # by what is usual 1, 2.. ticks from the opposite best (here the mean shape of the noise market) and places in the queue.
    observation: Literal["features", "paper"] = "features"
    volume_scale_lots: Annotated[tuple[Annotated[float, _SCALE], ...], Length(1, 64)] = (
        3.946425, 10.759585, 16.278854, 18.873662, 19.587928,
    )  # fmt: skip
    queue_scale_lots: Annotated[float, _SCALE] = 40.0

    def __post_init__(self) -> None:
        check(self)
        check_episode(self)
        if self.observation == "paper":
            self._check_paper()

    def _check_paper(self) -> None:
        levels = len(self.offsets_ticks)
        if self.reference != "opposite" or self.offsets_ticks != tuple(range(1, levels + 1)):
            raise ValueError("observation 'paper' needs reference 'opposite' and offsets_ticks 1, 2, 3.. without a gap")
        if len(self.volume_scale_lots) != levels:
            raise ValueError(
                f"observation 'paper' needs a volume scale for each of the {levels} levels of offsets_ticks; "
                f"volume_scale_lots has {len(self.volume_scale_lots)}"
            )
        if self.step_messages:
            raise ValueError("observation 'paper' looks back over steps of time; set step_messages to 0")
        if self.lots > 1024:
            raise ValueError("observation 'paper' has two numbers for every lot; lots must be at most 1024")
