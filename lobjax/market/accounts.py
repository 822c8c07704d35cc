"""Exact accounts of every owner: lots, cash and fees in integers that cannot overflow in silence.

Cash, fees and the other sums have two limbs (`lobjax.wide`), and what a message adds is formed from exact products. One thing must
fit a word: lots times the distance of a fill from the mid, summed over one message's fills. Where it might not, the message is
counted in `inexact`, which every result that matters shows as 0. Row 0 collects every owner <= 0, and owners that have no row; over
all rows lots and cash sum to zero, before fees.
"""

from typing import NamedTuple

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.book import Outcome
from lobjax.types import Fills, Message, Side
from lobjax.wide import LIMB, Wide, add, minus, plus, product, wide


class Accounts(flax.struct.PyTreeNode):
    """One row an owner, `[A + 1]`: row 0 the background, then owners 1..A."""

    lots: jax.Array  # int32, net lots bought
    cash: Wide  # ticks x lots received, net, before fees
    fees: Wide  # thousandths of a tick, paid (negative: rebates received)
    maker_lots: jax.Array  # int32, lots traded as the resting side
    taker_lots: jax.Array  # int32, lots traded as the incoming side
    edge2: Wide  # half ticks x lots by which trades beat the mid of the moment before them: the spread captured
    lot_ms: Wide  # lots x milliseconds since the episode began, over all trades: divided by lots, the mean time to fill
    inexact: (
        jax.Array
    )  # int32 scalar, messages whose fills were too large and too far from the mid to be booked exactly


class Fees(NamedTuple):
    """Thousandths of a tick per lot, int32 `[A + 1]`; negative is a rebate. Charged on what was executed, by role."""

    maker: jax.Array
    taker: jax.Array


def open_accounts(owners: int) -> Accounts:
    """Empty accounts for the background and `owners` accounts."""
    rows = (owners + 1,)
    zeros = jnp.zeros(rows, jnp.int32)
    return Accounts(zeros, wide(rows), wide(rows), zeros, zeros, wide(rows), wide(rows), jnp.int32(0))


class Trades(NamedTuple):
    """What one message traded, summed over its fills; int32. `beyond` is lots times their price's distance from an anchor near the mid."""

    lots: jax.Array
    beyond: jax.Array
    farthest: jax.Array  # the largest distance from the anchor, at least 1
    maker_lots: jax.Array  # [A + 1], by account of the resting orders
    maker_beyond: jax.Array  # [A + 1]


def anchor_of(mid2_ticks: jax.Array) -> jax.Array:
    """The price that distances are counted from, int32; from twice the mid before the message."""
    return mid2_ticks >> 1


def total_trades(fills: Fills, anchor: jax.Array, owners: int) -> Trades:
    """The trades of a message from all its fills `[N]` at once."""
    rows = jnp.arange(owners + 1, dtype=jnp.int32)
    rests = row_of(fills.owner, owners)[None] == rows[:, None]  # [A + 1, N]
    distance = fills.price - anchor
    beyond = fills.lots * distance
    return Trades(
        lots=jnp.sum(fills.lots, dtype=jnp.int32),
        beyond=jnp.sum(beyond, dtype=jnp.int32),
        farthest=jnp.max(jnp.where(fills.lots > 0, jnp.maximum(jnp.abs(distance), 1), 1)),
        maker_lots=jnp.sum(jnp.where(rests, fills.lots[None], 0), axis=1, dtype=jnp.int32),
        maker_beyond=jnp.sum(jnp.where(rests, beyond[None], 0), axis=1, dtype=jnp.int32),
    )


def add_fill(trades: Trades, fill: Fills, anchor: jax.Array, rows: jax.Array, owners: int) -> Trades:
    """The same, fill by fill (scalars; it may have 0 lots). rows: the account of each row of `trades`."""
    rests = row_of(fill.owner, owners) == rows
    distance = fill.price - anchor
    beyond = fill.lots * distance
    return Trades(
        lots=trades.lots + fill.lots,
        beyond=trades.beyond + beyond,
        farthest=jnp.maximum(trades.farthest, jnp.where(fill.lots > 0, jnp.abs(distance), 1)),
        maker_lots=trades.maker_lots + jnp.where(rests, fill.lots, 0),
        maker_beyond=trades.maker_beyond + jnp.where(rests, beyond, 0),
    )


def book_trades(
    accounts: Accounts, message: Message, outcome: Outcome, fees: Fees, mid2_ticks: jax.Array, elapsed_ms: jax.Array
) -> Accounts:
    """Book what one message traded. mid2_ticks: twice the mid before it; elapsed_ms: since the episode began; both int32."""
    owners = accounts.lots.shape[0] - 1
    trades = total_trades(outcome.fills, anchor_of(mid2_ticks), owners)
    takes = row_of(outcome.taker, owners) == jnp.arange(owners + 1, dtype=jnp.int32)
    return settle(accounts, trades, takes, message.side == Side.BID, fees, mid2_ticks, elapsed_ms)


def settle(
    accounts: Accounts,
    trades: Trades,
    takes: jax.Array,
    buys: jax.Array,
    fees: Fees,
    mid2_ticks: jax.Array,
    elapsed_ms: jax.Array,
) -> Accounts:
    """Book a message's trades. takes: bool `[A + 1]`, the row of the incoming order; buys: whether it bought. The rest as `book_trades`."""
    anchor = anchor_of(mid2_ticks)
    taker_lots, taker_beyond = jnp.where(takes, trades.lots, 0), jnp.where(takes, trades.beyond, 0)
    made = trades.maker_lots + taker_lots
    taker_buys = jnp.where(buys, jnp.int32(1), jnp.int32(-1))
    bought = taker_buys * (taker_lots - trades.maker_lots)
    paid_beyond = taker_buys * (taker_beyond - trades.maker_beyond)  # on top of `bought` lots at the anchor
    charged = plus(product(trades.maker_lots, fees.maker), product(taker_lots, fees.taker))
    # Two prices of 2^30 or more wrap the mid around to a negative number.
    inexact = (trades.lots > 0) & (mid2_ticks < 0) | (trades.lots > (LIMB // 4) // trades.farthest)
    return Accounts(
        lots=accounts.lots + bought,
        cash=add(minus(accounts.cash, product(bought, jnp.broadcast_to(anchor, bought.shape))), -paid_beyond),
        fees=plus(accounts.fees, charged),
        maker_lots=accounts.maker_lots + trades.maker_lots,
        taker_lots=accounts.taker_lots + taker_lots,
        edge2=add(add(accounts.edge2, bought * (mid2_ticks - 2 * anchor)), -2 * paid_beyond),
        lot_ms=plus(accounts.lot_ms, product(made, jnp.broadcast_to(elapsed_ms, bought.shape))),
        inexact=accounts.inexact + inexact.astype(jnp.int32),
    )


def row_of(owner: jax.Array, owners: int) -> jax.Array:
    """The account of an owner: row 0 for the background and for owners that have none."""
    return jnp.where((owner > 0) & (owner <= owners), owner, 0)
