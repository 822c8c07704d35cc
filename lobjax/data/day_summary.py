"""What a day looks like in figures: for people (`python -m lobjax data inspect`) and its volume profile by time of day."""

from collections.abc import Sequence

import numpy as np

from lobjax.data.day import Day, EventType, Origin
from lobjax.data.replay import Replay
from lobjax.data.windows import row_times_ns
from lobjax.kinds import Kind
from lobjax.types import Side

_HALF_HOUR_S = 1800


def volume_profile(day: Day, edges_s: Sequence[float] | np.ndarray, *, hidden: bool = True) -> np.ndarray:
    """Lots traded in each time bucket, int64 [len(edges_s) - 1]; buckets are edges_s[i] <= t < edges_s[i + 1].

    Counts visible executions, hidden ones too where `hidden`, never auctions. ValueError where the edges do not rise.
    """
    edges_ns = np.round(np.asarray(edges_s, np.float64) * 1e9).astype(np.int64)
    if len(edges_ns) < 2 or (np.diff(edges_ns) <= 0).any():
        raise ValueError("edges must rise and be at least two")
    prints = day.prints
    counted = (prints.event == EventType.EXECUTION) | (hidden & (prints.event == EventType.HIDDEN))
    times_ns = prints.time_s.astype(np.int64) * 1_000_000_000 + prints.time_ns
    bucket = np.searchsorted(edges_ns, times_ns, side="right") - 1
    inside = counted & (bucket >= 0) & (bucket < len(edges_ns) - 1)
    profile = np.zeros(len(edges_ns) - 1, np.int64)
    np.add.at(profile, bucket[inside], prints.size_lots[inside])
    return profile


def touch(day: Day) -> np.ndarray:
    """Best prices and sizes after every row: int32 [rows, 2, 2] (side, bids first; price in ticks, lots), zeros where empty."""
    return Replay(day).levels(day.info.rows, 1)[:, :, 0]


def summary(day: Day) -> list[tuple[str, str]]:
    """Named lines about a day, ready to print."""
    info, counts = day.info, day.info.counts
    first, last = (clock(int(row_times_ns(day)[row])) for row in (0, -1))
    lines = [
        ("day", f"{info.symbol} {info.date}, {first} to {last}"),
        ("rows", f"{info.rows:,}; book file: {_BOOK_FILE[info.book]}"),
        ("window", f"{info.levels} levels, {info.margin} more held; tick {info.tick_size / info.price_unit:g} dollars"),
        ("rows by type", _counted(EventType, day.row_event)),
        ("messages", f"{len(day.origin):,}: {_counted(Kind, day.messages.kind)}"),
        ("messages by origin", _counted(Origin, day.origin)),
        (
            "corrections",
            f"{counts.get('corrections', 0):,} levels changed at the deepest level; pruned orders {counts['pruned']:,}",
        ),
        (
            "unknown ids",
            ", ".join(
                f"{counts[name]:,} {name.removeprefix('unknown_')}" for name in counts if name.startswith("unknown_")
            ),
        ),
        ("orders a side", f"{info.max_orders} at most"),
        ("other counts", ", ".join(f"{name} {counts[name]:,}" for name in _OTHER if counts.get(name)) or "all 0"),
        *_spread_lines(day),
        *_volume_lines(day),
    ]
    return [*lines, *((f"sha256 of {name}", digest) for name, digest in info.sources.items())]


def clock(nanos: int) -> str:
    """Nanoseconds after midnight as HH:MM:SS.nnnnnnnnn."""
    seconds, rest = divmod(nanos, 1_000_000_000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:09d}"


_BOOK_FILE = {
    "rows": "one row for each message",
    "seed": "its first row only",
    "none": "none",
    "orders": "not needed, every order is told",
}
_OTHER = (
    "executions_out_of_turn",
    "executions_off_best",
    "crossing_orders",
    "proven_gone",
    "reused_ids",
    "unexplained_rows",
    "times_rounded",
    "prints_off_grid",
    "records",
    "records_of_others",
    "records_after_the_last_event",
    "records_of_a_doubtful_book",
    "executions_in_turn",
    "cancelled_ahead",
    "hidden_lots",
    "oversized_cancels",
    "auctions",
    "crossed_rows",
    "clears",
    "implicit_clears",
    "times_raised",
)


def _counted(names: type[EventType] | type[Kind] | type[Origin], values: np.ndarray) -> str:
    found = [(member.name, int((values == member).sum())) for member in names]
    return ", ".join(f"{name} {count:,}" for name, count in found if count)


def _spread_lines(day: Day) -> list[tuple[str, str]]:
    best = touch(day)
    both = (best[:, :, 1] > 0).all(axis=1)
    spread = (best[:, Side.ASK, 0] - best[:, Side.BID, 0])[both]
    if not len(spread):
        return [("spread", "never two-sided")]
    low, middle, high = np.percentile(spread, (5, 50, 95))
    return [("spread", f"{spread.mean():.2f} ticks over rows; 5%, median, 95%: {low:g}, {middle:g}, {high:g}")]


def _volume_lines(day: Day) -> list[tuple[str, str]]:
    first, last = int(day.row_time_s[0]) // _HALF_HOUR_S, int(day.row_time_s[-1]) // _HALF_HOUR_S
    edges = np.arange(first, last + 2) * _HALF_HOUR_S
    profile = volume_profile(day, edges)
    return [
        (f"volume from {clock(int(edge) * 1_000_000_000)[:5]}", f"{lots:,} lots")
        for edge, lots in zip(edges[:-1], profile, strict=True)
    ]
