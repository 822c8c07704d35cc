"""Checks, trades and the tape for the engine `host`: Numba twins of `lobjax.market.risk`, `accounts.book_trades` and `tape.record`.

The definitions work in int32 that wraps around. Numba widens sums and products to int64, so `_wrap` cuts them back wherever the
result could differ.
"""

import numpy as np

from lobjax.ffi.jit import inlined
from lobjax.kinds import Kind
from lobjax.market.host.memory import (
    CASH,
    CLIPPED,
    CLOSING_LOTS,
    EDGE2,
    FEES,
    INEXACT,
    LAST_PRICE,
    LIMB_BITS,
    LIMIT_LOTS,
    LOT_MS,
    LOTS,
    MAKER_LOTS,
    MARKET_LOTS,
    MESSAGES,
    TAKER_LOTS,
    TRADED_LOTS,
)
from lobjax.market.risk import LIMITED, NAMES_ORDER, REENTERS
from lobjax.market.tape import ONLY_TAKES, RESTS
from lobjax.reference.arrays import find, has
from lobjax.types import Side

BID, ASK = int(Side.BID), int(Side.ASK)
NOOP, KINDS = int(Kind.NOOP), len(Kind)
LIMB = 1 << LIMB_BITS


@inlined
def _wrap(value):
    return np.int64(np.int32(value))


@inlined
def only_own_orders(book, message):
    """Take the id off an account's message, in place, where it names an order that is not its own."""
    side = message[1]
    if has(message[0], NAMES_ORDER) and side in (BID, ASK):
        at = find(book, side, message[4])
        if at >= 0 and book.owner[side, at] != message[5]:
            message[4] = 0


@inlined
def clip_to_limits(book, accounts, message, low, high, target, closing, tally):
    """Shrink `memory.message` in place to the room that is left, to a NOOP where there is none."""
    kind, side, size, owner = message[0], message[1], message[3], message[5]
    limited = 0 <= kind < KINDS and has(kind, LIMITED)
    if not (limited and (side in (BID, ASK)) and size > 0 and 1 <= owner < accounts.shape[1]):
        return
    lots = accounts[LOTS, owner]
    if closing:
        room = target[owner] - lots if side == BID else lots - target[owner]
    else:
        room = high[owner] - lots if side == BID else lots - low[owner]
        for at in range(book.n[side]):
            if book.owner[side, at] == owner and not (has(kind, REENTERS) and book.order_id[side, at] == message[4]):
                room -= book.size[side, at]
    left = min(max(_wrap(room), 0), np.int64(size))
    message[3] = left
    if left == 0:
        message[0] = NOOP
    if not closing:
        tally[CLIPPED] += size - left


@inlined
def book_trades(memory, side, taker, traded, n_fills, maker_fee, taker_fee, mid2, elapsed_ms):
    """Book one message's fills. mid2: twice the mid before it; elapsed_ms: since the episode began."""
    accounts, made = memory.accounts, memory.made
    rows = accounts.shape[1]
    anchor = mid2 >> 1
    taken_beyond, farthest = np.int64(0), np.int64(1)
    for at in range(n_fills):
        lots, distance = np.int64(memory.fills[at, 3]), _wrap(memory.fills[at, 2] - anchor)
        farthest = max(farthest, _wrap(abs(distance)))
        taken_beyond += _wrap(lots * distance)
        row = _row_of(memory.fills[at, 1], rows)
        made[0, row] += lots
        made[1, row] += _wrap(lots * distance)
    memory.tally[INEXACT] += mid2 < 0 or traded > (LIMB // 4) // farthest
    buys = 1 if side == BID else -1
    for row in range(rows):
        took = row == _row_of(taker, rows)
        maker_lots, maker_beyond = _wrap(made[0, row]), _wrap(made[1, row])
        made[0, row] = 0
        made[1, row] = 0
        if not took and maker_lots == 0 and maker_beyond == 0:
            continue
        taker_lots = traded if took else np.int64(0)
        bought = _wrap(buys * (taker_lots - maker_lots))
        paid_beyond = _wrap(buys * ((taken_beyond if took else 0) - maker_beyond))
        accounts[LOTS, row] = _wrap(accounts[LOTS, row] + bought)
        accounts[CASH, row] = _add_word(accounts[CASH, row] - bought * anchor, _wrap(-paid_beyond))
        accounts[FEES, row] += maker_lots * maker_fee[row] + taker_lots * taker_fee[row]
        accounts[MAKER_LOTS, row] = _wrap(accounts[MAKER_LOTS, row] + maker_lots)
        accounts[TAKER_LOTS, row] = _wrap(accounts[TAKER_LOTS, row] + taker_lots)
        edge2 = _add_word(accounts[EDGE2, row], _wrap(bought * (mid2 & 1)))
        accounts[EDGE2, row] = _add_word(edge2, _wrap(-2 * paid_beyond))
        accounts[LOT_MS, row] += _wrap(maker_lots + taker_lots) * elapsed_ms


@inlined
def _row_of(owner, rows):
    """The account of an owner: row 0 for the background and for owners that have none."""
    return owner if 0 < owner < rows else 0


@inlined
def _add_word(total, amount):
    """Twin of `words.add`: exact for |amount| <= 2^30, and wrong in the definition's own way beyond (counted as inexact)."""
    low = total & (LIMB - 1)
    return total - low + _wrap(low + amount)


@inlined
def record(memory, traded, n_fills, closing):
    """Add `memory.message` and what it did to the tape."""
    kind, side, size = memory.message[0], memory.message[1], memory.message[3]
    known = 0 <= kind < KINDS
    memory.tally[MESSAGES] += kind != NOOP
    if side in (BID, ASK):
        if known and has(kind, ONLY_TAKES):
            memory.tape[MARKET_LOTS, side] += size
        elif known and has(kind, RESTS):
            memory.tape[LIMIT_LOTS, side] += size
        memory.tape[TRADED_LOTS, side] += traded
        if closing:
            memory.tape[CLOSING_LOTS, side] += traded
    if n_fills > 0:
        memory.tally[LAST_PRICE] = memory.fills[n_fills - 1, 2]
