"""The records of an order-by-order file, checked and in the terms of the rules: ticks, lots, ids counted up, times that never fall."""

from pathlib import Path

import numpy as np

from lobjax.data import dbn
from lobjax.data.day import EventType, Prints
from lobjax.data.dbn import OrderFile
from lobjax.data.mbo_fills import Orders
from lobjax.errors import InputError
from lobjax.types import INT32_MAX, SYNTHETIC_ID_BASE, Side

NANOS = 10**9
_SIDES = {dbn.BID: int(Side.BID), dbn.ASK: int(Side.ASK)}


def check_orders(path: str | Path, file: OrderFile, tick_size: int) -> None:
    """Report the first record that an exact replay cannot be made from."""
    records = file.records
    action, side, price, size, flags = (records[name] for name in ("action", "side", "price", "size", "flags"))
    is_placed, is_sized = (
        np.isin(action, (dbn.ADD, dbn.MODIFY)),
        np.isin(action, (dbn.ADD, dbn.MODIFY, dbn.CANCEL, dbn.FILL)),
    )
    tick = tick_size / dbn.PRICE_UNIT
    checks = (
        (~np.isin(action, list(b"ACMRTFN")), "action", action, "is not one of A, C, M, R, T, F, N; give a file of schema mbo"),
        ((flags & (dbn.F_TOB | dbn.F_MBP)) != 0, "flags", flags, "mark a book without orders (F_TOB or F_MBP); give a feed of every order"),
        (~np.isin(side, (dbn.BID, dbn.ASK, dbn.NO_SIDE)), "side", side, "is not one of A, B, N; mend the file"),
        (is_placed & (side == dbn.NO_SIDE), "side", side, "is none, for an order; mend the file"),
        (is_placed & (records["order_id"] == 0), "order id", records["order_id"], "is none, for an order; mend the file"),
        (is_placed & (price == dbn.UNDEFINED_PRICE), "price", price, "is undefined, for an order; mend the file"),
        (is_placed & (price <= 0), "price", price, "is not positive; a book here has positive prices only, choose another instrument"),
        (is_placed & (price % tick_size != 0), "price", price, f"is off the tick grid of {tick:g}; give the right tick size"),
        (is_placed & (price > INT32_MAX * tick_size), "price", price, f"is more than 2^31 ticks of {tick:g}; give a larger tick size"),
        (is_sized & ((size == 0) | (size > INT32_MAX)), "size", size, "is not a positive 32-bit number; mend the file"),
        ((action == dbn.TRADE) & (size > INT32_MAX), "size", size, "is not a 32-bit number; mend the file"),
    )  # fmt: skip
    found = [(int(np.argmax(bad)), name, value, what) for bad, name, value, what in checks if bad.any()]
    if found:
        at, name, value, what = min(found, key=lambda fault: fault[0])
        shown = _shown(name, int(value[at]))
        raise InputError(f"{path}: record {file.number[at]}: {name} {shown} {what}")


def _shown(name: str, value: int) -> str:
    if name == "price":
        whole, rest = divmod(abs(value), dbn.PRICE_UNIT)
        return f"{'-' if value < 0 else ''}{whole}.{rest:09d}".rstrip("0").rstrip(".")
    return repr(chr(value)) if name in ("action", "side") else str(value)


def tick_of(path: str | Path, records: np.ndarray) -> int:
    """The largest tick that every order's price is a multiple of."""
    is_placed = np.isin(records["action"], (dbn.ADD, dbn.MODIFY)) & (records["price"] != dbn.UNDEFINED_PRICE)
    if not is_placed.any():
        raise InputError(f"{path}: has no order (no Add, no Modify); give a file with at least one")
    return max(int(np.gcd.reduce(np.abs(records["price"][is_placed]))), 1)


def to_orders(path: str | Path, records: np.ndarray, tick_size: int) -> Orders:
    """Checked records in the terms of the rules; ids count up in order of first appearance."""
    has_id = records["order_id"] != 0
    _, first, inverse = np.unique(records["order_id"][has_id], return_index=True, return_inverse=True)
    if len(first) >= SYNTHETIC_ID_BASE:
        raise InputError(f"{path}: {len(first)} order ids, more than {SYNTHETIC_ID_BASE - 1}; split the file")
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(1, len(first) + 1)
    order_id = np.zeros(len(records), np.int64)
    order_id[has_id] = rank[inverse]
    is_placed = np.isin(records["action"], (dbn.ADD, dbn.MODIFY))
    return Orders(
        action=records["action"].astype(np.int64),
        side=np.select([records["side"] == code for code in _SIDES], list(_SIDES.values()), -1).astype(np.int64),
        price=np.where(is_placed, records["price"] // tick_size, 0),
        lots=records["size"].astype(np.int64),
        order_id=order_id,
        flags=records["flags"].astype(np.int64),
    )


def times_of(path: str | Path, file: OrderFile, ends: np.ndarray) -> tuple[np.ndarray, int]:
    """Nanoseconds after the file's midnight of each event, which never fall, and how many had to be raised for that."""
    last, number = file.records[ends - 1], file.number[ends - 1]
    by_capture = ((last["flags"] & dbn.F_SNAPSHOT) != 0) | (last["ts_event"] == dbn.UNDEFINED_TIME)
    times = np.where(by_capture, last["ts_recv"], last["ts_event"])
    if (late := times >= file.midnight_ns + NANOS * INT32_MAX).any():
        at = int(np.argmax(late))
        raise InputError(
            f"{path}: record {number[at]}: time {times[at]} is decades after the file's first day; mend the file"
        )
    nanos = times.astype(np.int64) - file.midnight_ns
    risen = np.maximum.accumulate(np.maximum(nanos, 0))
    return risen, int((risen != nanos).sum())


def tape_of(records: np.ndarray, ends: np.ndarray, nanos: np.ndarray) -> Prints:
    """The trades, at raw prices: EXECUTION where fills of orders follow, CROSS where no side was the aggressor, else HIDDEN."""
    is_trade, is_fill = records["action"] == dbn.TRADE, records["action"] == dbn.FILL
    at = np.flatnonzero(is_trade)
    filled = np.append(is_fill[1:], False)[at]
    found = records[at]
    row = np.searchsorted(ends, at, side="right").astype(np.int32)
    seconds, rest = (word.astype(np.int32) for word in np.divmod(nanos[row], NANOS))
    event = np.where(
        filled, np.where(found["side"] == dbn.NO_SIDE, EventType.CROSS, EventType.EXECUTION), EventType.HIDDEN
    )
    return Prints(
        row=row,
        time_s=seconds,
        time_ns=rest,
        event=event.astype(np.int8),
        side=np.where(found["side"] == dbn.ASK, int(Side.BID), int(Side.ASK)).astype(np.int8),
        size_lots=found["size"].astype(np.int32),
        price=found["price"].copy(),
    )
