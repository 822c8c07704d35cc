"""A recorded day as a flow, from its configuration: which starts, and the book at each."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeGuard

import jax.numpy as jnp
import numpy as np

from lobjax.book import Book
from lobjax.clock import NS
from lobjax.data.built import META, read_info
from lobjax.data.checks import check_day
from lobjax.data.day import Day
from lobjax.data.sources import source_digests
from lobjax.data.store import load_day
from lobjax.data.windows import books_at
from lobjax.errors import InputError
from lobjax.flow.recorded.flow import RecordedFlow, RecordedParams, to_device
from lobjax.flow.registry import FlowSpec, Made, Needs, register
from lobjax.ranges import Range, check
from lobjax.reading import is_file

_MOST_STARTS = 4096


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


def is_recorded(config: Any) -> TypeGuard[RecordedConfig]:
    """Whether a flow plays hours of a record, in windows by number."""
    return isinstance(config, RecordedConfig)


def make_recorded(config: RecordedConfig, needs: Needs) -> Made:
    """The day on the device; InputError where its file is bad or the episodes do not fit."""
    params = recorded_params(
        load_day(config.path, config.book, **_given(levels=config.levels, instrument=config.instrument)),
        from_s=seconds_of_day(config.from_time),
        until_s=seconds_of_day(config.until_time),
        episode_s=needs.episode_s,
        episode_messages=needs.episode_messages,
        every_s=config.start_every_s,
        capacity=needs.capacity,
    )
    return Made(RecordedFlow(), params, starts=len(params.first))


def sources(config: RecordedConfig) -> dict[str, str]:
    """sha256 of every file that the day was read from, by name."""
    if is_file(config.path / META):
        return dict(read_info(config.path).sources)
    return source_digests(config.path, config.book)


def files(config: RecordedConfig) -> tuple[Path, ...]:
    """What is read."""
    return tuple(path for path in (config.path, config.book) if path is not None)


def _told(config: Mapping[str, Any]) -> str:
    return (
        f"The market is a record of real order flow, message by message, from {config['from_time']} to {config['until_time']}, cut into "
        f"windows that do not overlap; each is played once. The players' orders are real to the book: they wait in the queue, are "
        "traded against and take liquidity away. But the record goes on as it was: nobody in it answers to what a player did, so "
        "results flatter large and aggressive orders."
    )


register(FlowSpec(config=RecordedConfig, make=make_recorded, files=files, sources=sources, told=_told))


def recorded_params(
    day: Day,
    *,
    from_s: float,
    until_s: float,
    episode_s: float,
    every_s: float,
    capacity: int,
    episode_messages: int = 0,
) -> RecordedParams:
    """Starts `every_s` apart from `from_s` on (seconds after midnight), such that every episode ends by `until_s`.

    An episode lasts `episode_s`, or if longer `episode_messages` messages. Only the messages of that time are kept. A start without a
    bid and an ask (an auction, in an order-by-order file) is left out. InputError if no episode fits or the book does not.
    """
    check_day(day)
    row_time = day.row_time_s + day.row_time_ns * 1e-9
    wanted = np.arange(from_s, until_s - episode_s + 1e-9, every_s)
    wanted = wanted[(wanted >= row_time[0]) & (wanted + episode_s <= row_time[-1])]
    last = np.searchsorted(day.time_s + day.time_ns * 1e-9, until_s, side="right")
    rows = _rows_at(row_time, wanted)
    fits = day.row_end[rows] + episode_messages <= last
    wanted, rows = wanted[fits], rows[fits]
    if len(wanted) == 0:
        length = f"{episode_messages} messages" if episode_messages else f"{episode_s:g} s"
        raise InputError(
            f"flow: no episode of {length} fits between {from_s:g} s and {until_s:g} s of a record that spans "
            f"{row_time[0]:.0f} s to {row_time[-1]:.0f} s after midnight; choose other times or a shorter episode"
        )
    if len(wanted) > _MOST_STARTS:
        raise InputError(
            f"flow: {len(wanted)} starts are more than {_MOST_STARTS}; raise env.flow.start_every_s or choose fewer hours"
        )
    seeds = books_at(day, rows, capacity)
    if not (two_sided := (seeds.n > 0).all(axis=1)).any():
        raise InputError(f"flow: none of {len(wanted)} starts has a bid and an ask; choose other times")
    wanted, rows, seeds = wanted[two_sided], rows[two_sided], type(seeds)(*(field[two_sided] for field in seeds))
    live = np.arange(capacity) < seeds.n[:, :, None]
    books = Book(*(jnp.asarray(np.where(live, field, 0), jnp.int32) for field in seeds[:4]))
    first = day.row_end[rows]
    last = max(last, int(first[-1]) + 1)
    offset = int(first[0])
    kept = slice(offset, last)
    messages = type(day.messages)(*(field[kept] for field in day.messages))
    start_ns = np.round(wanted * NS).astype(np.int64)
    return to_device(messages, day.time_s[kept], day.time_ns[kept], first - offset, start_ns, books)


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _rows_at(row_time: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """The last row of no later a time than each of `seconds`: the book as it stands then."""
    return np.searchsorted(row_time, seconds, side="right") - 1
