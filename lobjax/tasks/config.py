"""What an environment is made from: a task, a flow and a market, each a strict configuration."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from lobjax.clock import NS
from lobjax.flow import FLOWS, PoissonConfig
from lobjax.ranges import Range, check
from lobjax.registry import OneOf
from lobjax.tasks.registry import DEFAULT_TASK, TASKS

_DELAY_NS = Range(0, 3600 * NS)
_FEE_MILLITICKS = Range(-1_000_000, 1_000_000)  # a thousand ticks a lot


@dataclass(frozen=True, kw_only=True)
class MarketConfig:
    """The venue: sizes, fees, latencies, engine."""

    # Orders a side; `displaced` in the metrics shows when it is too small.
    capacity: Annotated[int, Range(8, 512)] = 128
    maker_fee_milliticks: Annotated[int, _FEE_MILLITICKS] = 0  # thousandths of a tick per lot; negative is a rebate
    taker_fee_milliticks: Annotated[int, _FEE_MILLITICKS] = 0
    feed_delay_ns: Annotated[int, _DELAY_NS] = 0  # from the market to the agent
    order_delay_ns: Annotated[int, _DELAY_NS] = 0  # and back
    # Of one step; `late` in the metrics shows when it is too small.
    max_messages: Annotated[int, Range(1, 1 << 20)] = 128
    # Messages in flight; `dropped` in the metrics shows when it is too small.
    queue_places: Annotated[int, Range(1, 4096)] = 32
    levels: Annotated[int, Range(1, 512)] = 5  # of the depth snapshot in observations
    engine: Literal["auto", "kernel", "host", "xla"] = "auto"

    def __post_init__(self) -> None:
        check(self)
        if self.capacity not in (8, 16, 32, 64, 128, 256, 512):
            raise ValueError(f"capacity {self.capacity} must be a power of two from 8 to 512")


@dataclass(frozen=True, kw_only=True)
class EnvConfig:
    """One environment: a task of `lobjax.tasks.TASKS`, a flow of `lobjax.flow.FLOWS`, and the market."""

    task: Annotated[Any, OneOf(TASKS)] = field(default_factory=lambda: TASKS[DEFAULT_TASK].config())
    flow: Annotated[Any, OneOf(FLOWS)] = field(default_factory=PoissonConfig)
    market: MarketConfig = field(default_factory=MarketConfig)

    def __post_init__(self) -> None:
        check(self)
