"""The choices of the snapshot trader."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from lobjax.ranges import Range, check
from lobjax.snapshot.bounds import MAX_FEE_BPS
from lobjax.tasks.episodes import DAY_S

_LOTS = Range(1, (1 << 20) - 1)


@dataclass(frozen=True, kw_only=True)
class SnapshotConfig:
    """What may be traded, with what, and what is rewarded. The flow must be recorded: a day, or an .npz of snapshots."""

    kind: Literal["snapshot"] = "snapshot"
    decisions: Annotated[int, _LOTS] = 60
    step_s: Annotated[float, Range(1e-3, DAY_S)] = 1.0  # between snapshots
    most_lots: Annotated[int, Range(1, 1024)] = 5  # K, of one decision
    position_limit_lots: Annotated[int, _LOTS] = 20
    # |position| at the mid, as a multiple of the liquidation value.
    leverage_limit: Annotated[float, Range(1e-3, 1e6)] = 2.0
    capital_lots: Annotated[int, _LOTS] = 20  # the cash at the start buys so many lots
    patience: Annotated[int, Range(0, (1 << 20) - 1)] = 3  # further snapshots on which what is left over goes on
    # Between a decision and its trade: 0 (at the snapshot that was seen) or 1 (at the next).
    delay_snapshots: Annotated[int, Range(0, 1)] = 0
    # Of what is paid or received; env.market.taker_fee_milliticks is charged too.
    fee_bps: Annotated[int, Range(0, MAX_FEE_BPS)] = 0
    reward: Literal["value", "hindsight"] = "value"
    horizon: Annotated[int, Range(1, 4096)] = 64  # snapshots that hindsight sees
    hindsight_discount: Annotated[float, Range(1e-6, 1.0)] = 0.99
    price_scale_ticks: Annotated[float, Range(1e-3, 1e6)] = 10.0  # the unit of prices in observations
    step_messages: ClassVar[int] = 0  # steps go by the clock

    def __post_init__(self) -> None:
        check(self)
        if self.decisions * self.step_s > DAY_S:
            raise ValueError(
                f"{self.decisions:,} decisions of {self.step_s:g} s last longer than a day; lower decisions or step_s"
            )
