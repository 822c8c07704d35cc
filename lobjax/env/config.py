"""What an environment is made from: a task, a flow and a market, each a strict configuration."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from lobjax.clock import NS
from lobjax.env.execution import ExecutionConfig
from lobjax.env.making import MakingConfig
from lobjax.env.snapshot import SnapshotConfig
from lobjax.flow import MixedConfig, PoissonConfig
from lobjax.ranges import Range, check

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
class RecordedConfig:
    """A recorded day, or a part of it. Times are of the day, HH:MM[:SS]."""

    kind: Literal["recorded"] = "recorded"
    path: Path  # a folder made by `python -m lobjax data build`, a LOBSTER zip or message file, or a Databento MBO file (times: UTC)
    book: Path | None = None  # the LOBSTER book file, where it is not found beside the message file
    from_time: str = "09:45:00"
    until_time: str = "16:00:00"
    # Episodes start this far apart; at least an episode's length makes them disjoint.
    start_every_s: Annotated[float, Range(0.01, 86_400)] = 30.0
    # Depth of the window that is replayed, of a file that is not built yet.
    levels: Annotated[int, Range(1, 512)] | None = None
    instrument: str | None = None  # its symbol or number, where an MBO file holds several

    def __post_init__(self) -> None:
        check(self)
        if not seconds_of_day(self.from_time) < seconds_of_day(self.until_time):
            raise ValueError(f"from_time {self.from_time} is not before until_time {self.until_time}")


@dataclass(frozen=True, kw_only=True)
class EnvConfig:
    """One environment."""

    task: ExecutionConfig | MakingConfig | SnapshotConfig = field(default_factory=ExecutionConfig)
    flow: PoissonConfig | MixedConfig | RecordedConfig = field(default_factory=PoissonConfig)
    market: MarketConfig = field(default_factory=MarketConfig)


def seconds_of_day(text: str) -> int:
    """'HH:MM' or 'HH:MM:SS' in seconds after midnight; ValueError if it is neither."""
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(p.isdigit() and len(p) <= 2 for p in parts):
        raise ValueError(f"time '{text}' is not HH:MM or HH:MM:SS")
    hours, minutes, seconds = (int(p) for p in [*parts, "0"][:3])
    if minutes > 59 or seconds > 59 or hours > 24:
        raise ValueError(f"time '{text}' is not a time of day")
    return hours * 3600 + minutes * 60 + seconds


def overlap(a: RecordedConfig, b: RecordedConfig) -> bool:
    """Whether two recorded flows share a moment of one file."""
    apart = seconds_of_day(a.until_time) <= seconds_of_day(b.from_time)
    apart = apart or seconds_of_day(b.until_time) <= seconds_of_day(a.from_time)
    return a.path.resolve() == b.path.resolve() and not apart
