"""Exact accounts of every owner: lots, cash and fees in integers that cannot overflow in silence.

Cash, fees and the other sums are two words wide (`lobjax.words`), and what a message adds is formed from exact products. One thing must
fit a word: lots times the distance of a fill from the mid, summed over one message's fills. Where it might not, the message is
counted in `inexact`, which every result that matters shows as 0. Row 0 collects every owner <= 0, and owners that have no row; over
all rows lots and cash sum to zero, before fees.
"""

from typing import NamedTuple

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.book import Outcome
from lobjax.types import Message, Side
from lobjax.words import WORD, Wide, add, minus, plus, product, wide


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


def book_trades(
    accounts: Accounts, message: Message, outcome: Outcome, fees: Fees, mid2_ticks: jax.Array, elapsed_ms: jax.Array
) -> Accounts:
    """Book what one message traded. mid2_ticks: twice the mid before it; elapsed_ms: since the episode began; both int32."""
    fills = outcome.fills
    rows = jnp.arange(accounts.lots.shape[0], dtype=jnp.int32)
    rests = _row_of(fills.owner, rows.shape[0]) == rows[:, None]  # [A + 1, N]
    takes = _row_of(outcome.taker, rows.shape[0]) == rows  # [A + 1]
    anchor = mid2_ticks >> 1
    distance = fills.price - anchor
    beyond = fills.lots * distance
    maker_lots = jnp.sum(jnp.where(rests, fills.lots, 0), axis=1, dtype=jnp.int32)
    maker_beyond = jnp.sum(jnp.where(rests, beyond, 0), axis=1, dtype=jnp.int32)
    taker_lots = jnp.where(takes, outcome.traded, 0)
    taker_beyond = jnp.where(takes, jnp.sum(beyond, dtype=jnp.int32), 0)

    taker_buys = jnp.where(message.side == Side.BID, jnp.int32(1), jnp.int32(-1))
    bought = taker_buys * (taker_lots - maker_lots)
    paid_beyond = taker_buys * (taker_beyond - maker_beyond)  # on top of `bought` lots at the anchor
    charged = plus(product(maker_lots, fees.maker), product(taker_lots, fees.taker))
    # Two prices of 2^30 or more wrap the mid around to a negative number.
    inexact = (outcome.traded > 0) & (mid2_ticks < 0)
    farthest = jnp.max(jnp.where(fills.lots > 0, jnp.abs(distance), 1))
    return Accounts(
        lots=accounts.lots + bought,
        cash=add(minus(accounts.cash, product(bought, jnp.broadcast_to(anchor, bought.shape))), -paid_beyond),
        fees=plus(accounts.fees, charged),
        maker_lots=accounts.maker_lots + maker_lots,
        taker_lots=accounts.taker_lots + taker_lots,
        edge2=add(add(accounts.edge2, bought * (mid2_ticks - 2 * anchor)), -2 * paid_beyond),
        lot_ms=plus(accounts.lot_ms, product(maker_lots + taker_lots, jnp.broadcast_to(elapsed_ms, bought.shape))),
        inexact=accounts.inexact
        + (inexact | (outcome.traded > (WORD // 4) // jnp.maximum(farthest, 1))).astype(jnp.int32),
    )


def _row_of(owner: jax.Array, rows: int) -> jax.Array:
    """The account of an owner: row 0 for the background and for owners that have none."""
    return jnp.where((owner > 0) & (owner < rows), owner, 0)
