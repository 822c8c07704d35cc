"""Whether a `Day` is one that the loops may run over: lengths, types, order and ranges of every array, and counts that agree with them."""

import numpy as np

from lobjax.columns import check_column, check_times, check_where
from lobjax.data.day import MOST_LEVELS, Day, EventType, Origin
from lobjax.errors import InputError
from lobjax.kinds import Kind, Trait
from lobjax.types import AGENT_ID_BASE, Side

# What `DayInfo.counts` calls the messages of each Origin, in its order.
_BY_ORIGIN = ("real_messages", "correction_messages", "pruned", "repaired", "seeded", "revealed", "withdrawn")
_PRICED = [kind for kind in Kind if Trait.PRICED in kind.traits]
_SIZED = [kind for kind in Kind if Trait.SIZED in kind.traits]
_NAMING = [kind for kind in Kind if kind.traits & (Trait.NEW_ID | Trait.NAMES_ORDER)]
_PRINTED = (EventType.EXECUTION, EventType.HIDDEN, EventType.CROSS)


def check_window(where: object, tick_size: int | None, levels: int | None, margin: int | None, most_tick: int) -> None:
    """InputError unless these are arguments that a day can be built with: whole numbers that no array is beyond memory for."""
    for name, value, low, high in (
        ("tick size", tick_size, 1, most_tick),
        ("levels", levels, 1, MOST_LEVELS),
        ("margin", margin, 0, MOST_LEVELS),
    ):
        if value is not None and (type(value) is not int or not low <= value <= high):
            raise InputError(f"{where}: {name} {value!r:.40}; give a whole number, {low} to {high:,}")


def check_day(day: Day, where: str | None = None) -> Day:
    """The day, if it is whole; InputError, in one line that names the array and the place, where it is not.

    For days from files, and for those that you make yourself: a replay, the sampling of snapshots and a recorded flow run compiled loops
    over them. `where` it comes from, for the error. A day of a million messages takes some 20 ms.
    """
    try:
        _check_rows(day)
        _check_messages(day)
        _check_prints(day)
        _check_counts(day)
    except ValueError as error:
        raise InputError(f"{where or 'day'}: {error}; build the day again") from None
    return day


def check_replayable(day: Day) -> None:
    """The part of `check_day` that a replay needs, which may be of other messages than the day's: the engine takes any numbers in them."""
    try:
        count = len(day.messages.kind)
        for name, field in day.messages._asdict().items():
            check_column(name, field, np.int32, count)
        check_column("row_end", day.row_end, np.int32, day.info.rows, 0, count, rises=True)
        if day.info.max_orders > count:
            raise ValueError(f"max_orders is {day.info.max_orders:,}, of {count:,} messages")
    except ValueError as error:
        raise InputError(f"day: {error}; build the day again") from None


def _check_rows(day: Day) -> None:
    rows, messages = day.info.rows, len(day.origin)
    if rows < 1:
        raise ValueError("it has no rows")
    check_column("row_end", day.row_end, np.int32, rows, 0, messages, rises=True)
    check_times("row_time", day.row_time_s, day.row_time_ns, rows)
    check_column("row_event", day.row_event, np.int8, rows, min(EventType), max(EventType))
    if day.row_end[-1] != messages:
        raise ValueError(f"row_end counts {day.row_end[-1]:,} messages, there are {messages:,}")
    check_column("row", day.row, np.int32, messages, 0, rows - 1)
    check_where(
        "row",
        day.row != np.repeat(np.arange(rows, dtype=np.int32), np.diff(day.row_end, prepend=0)),
        day.row,
        "against row_end",
    )


def _check_messages(day: Day) -> None:
    count, of = len(day.origin), day.messages
    check_column("origin", day.origin, np.int8, count, min(Origin), max(Origin))
    check_column("kind", of.kind, np.int32, count, min(Kind), max(Kind))
    check_column("side", of.side, np.int32, count, min(Side), max(Side))
    check_column("price", of.price, np.int32, count, 0)
    check_column("size", of.size, np.int32, count, 0)
    check_column("order_id", of.order_id, np.int32, count, 0, AGENT_ID_BASE - 1)
    check_column("owner", of.owner, np.int32, count, None, 0)
    check_where("price", (of.price == 0) & np.isin(of.kind, _PRICED), of.price, "for an order")
    check_where("size", (of.size == 0) & np.isin(of.kind, _SIZED), of.size, "for an order")
    check_where("order_id", (of.order_id == 0) & np.isin(of.kind, _NAMING), of.order_id, "for an order that is named")
    check_times("time", day.time_s, day.time_ns, count)
    for name, mine, theirs in (("time_s", day.time_s, day.row_time_s), ("time_ns", day.time_ns, day.row_time_ns)):
        check_where(name, mine != theirs[day.row], mine, "not that of its row")


def _check_prints(day: Day) -> None:
    of, count = day.prints, len(day.prints.row)
    check_column("prints.row", of.row, np.int32, count, 0, day.info.rows - 1, rises=True)
    check_times("prints.time", of.time_s, of.time_ns, count)
    check_column("prints.event", of.event, np.int8, count)
    check_where("prints.event", ~np.isin(of.event, _PRINTED), of.event, "not an execution")
    check_column("prints.side", of.side, np.int8, count, min(Side), max(Side))
    check_column("prints.size_lots", of.size_lots, np.int32, count, 0)
    check_column("prints.price", of.price, np.int64, count)


def _check_counts(day: Day) -> None:
    info, count = day.info, len(day.origin)
    if info.max_orders > count:
        raise ValueError(f"max_orders is {info.max_orders:,}, of {count:,} messages")
    found = dict(zip(_BY_ORIGIN, np.bincount(day.origin, minlength=len(_BY_ORIGIN)).tolist(), strict=True)) | {
        "messages": count
    }
    for name, value in found.items():
        if info.counts.get(name, value) != value:
            raise ValueError(f"counts say {info.counts[name]:,} {name.replace('_', ' ')}, there are {value:,}")
