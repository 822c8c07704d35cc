"""An account and what it is worth: pure, for one account, in exact integers."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from lobjax.snapshot.bounds import UNIT
from lobjax.snapshot.fills import fill
from lobjax.snapshot.money import choose, is_positive, negative, times
from lobjax.wide import Wide, minus, plus, product, to_float, wide


class Costs(NamedTuple):
    """What is charged on every lot that is executed, and on nothing else."""

    milliticks: jax.Array  # int32, thousandths of a tick a lot; negative is a rebate
    bps: jax.Array  # int32, basis points of what is paid or received, not negative


class Account(NamedTuple):
    """What an agent holds."""

    cash: Wide  # ticks x lots, before fees
    fees: Wide  # 10^-4 ticks x lots, paid so far
    position: jax.Array  # int32, lots; short is negative


class AccountState(NamedTuple):
    """How an account stands at one snapshot."""

    value: Wide  # 10^-4 ticks x lots, `liquidation_value`
    leverage: jax.Array  # float32, |position| at the mid over the value; 0 where the value is not positive
    position: jax.Array  # int32
    cash: Wide  # ticks x lots, before fees


def opened(cash: Wide) -> Account:
    """An account of nothing but cash."""
    return Account(cash, wide(), jnp.int32(0))


def fee(cash: Wide, lots: jax.Array, costs: Costs) -> Wide:
    """The fee, in 10^-4 ticks x lots, on `lots` that were executed (signed) for `cash` (signed)."""
    notional = choose(is_positive(cash), cash, negative(cash))
    return plus(times(product(jnp.abs(lots), costs.milliticks), 10), times(notional, costs.bps))


def settled(account: Account, cash: Wide, filled: jax.Array, costs: Costs) -> Account:
    """The account after `filled` lots were executed for `cash`; the fee is charged on these, never on what is left over."""
    return Account(plus(account.cash, cash), plus(account.fees, fee(cash, filled, costs)), account.position + filled)


def liquidation_value(account: Account, bids: jax.Array, asks: jax.Array, costs: Costs) -> Wide:
    """What the account would be worth, in 10^-4 ticks x lots, if its position were traded away now, fees paid.

    Lots that the visible levels do not hold go at the last visible price, or where their side is empty, at the other one's best. A
    fee is due on all of them.
    """
    size = -account.position
    got = fill(bids, asks, size)
    cash = plus(got.cash, negative(product(got.leftover, _beyond(bids, asks, size))))
    closing = fee(cash, size, costs)
    return minus(minus(times(plus(account.cash, cash), UNIT), account.fees), closing)


def account_state(account: Account, bids: jax.Array, asks: jax.Array, costs: Costs) -> AccountState:
    """Value, leverage, position and cash at one snapshot."""
    value = liquidation_value(account, bids, asks, costs)
    held = jnp.abs(account.position).astype(jnp.float32) * (0.5 * mid2_ticks(bids, asks).astype(jnp.float32))
    ratio = held * UNIT / jnp.maximum(to_float(value), 1)
    return AccountState(value, jnp.where(is_positive(value), ratio, 0), account.position, account.cash)


def mid2_ticks(bids: jax.Array, asks: jax.Array) -> jax.Array:
    """Twice the mid, int32; of a side that is empty, the other one's best."""
    bid, ask = _best(bids), _best(asks)
    return jnp.where(bid > 0, bid, ask) + jnp.where(ask > 0, ask, bid)


def _best(side: jax.Array) -> jax.Array:
    return jnp.where(side[0, 1] > 0, side[0, 0], 0)


def _beyond(bids: jax.Array, asks: jax.Array, size: jax.Array) -> jax.Array:
    """The price of lots beyond the visible ones: the deepest of the side that `size` trades with, else the other side's best."""
    side = jnp.where(size > 0, asks, bids)
    levels = jnp.sum(side[:, 1] > 0, dtype=jnp.int32)
    deepest = side[jnp.maximum(levels - 1, 0), 0]
    return jnp.where(levels > 0, deepest, jnp.where(size > 0, _best(bids), _best(asks)))
