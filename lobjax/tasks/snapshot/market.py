"""A day of book snapshots as the market of an environment: what is sent trades with the visible levels, and a step is one snapshot.

It has what `lobjax.env.base.Venue` asks of a market. Rules of a step from snapshot t to t + 1:

1. A new order (not 0 lots) takes the place of what is left of the one before; without a new one, that goes on.
2. The order is cut back so that |position| stays within the position limit and within the leverage limit times the liquidation value, over
   the mid, at snapshot t. What brings the position nearer to zero is never cut.
3. It sweeps the visible levels of snapshot t + delay, fee on what was executed. What is left over goes on for `patience` further
   snapshots, then it is given up.
4. The market moves on to snapshot t + 1. The record goes on as it was: what was taken is there again.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.clock import Time
from lobjax.engine import Choice
from lobjax.snapshot import Account, Costs, future_reward, liquidation_value, opened, settled
from lobjax.snapshot.account import mid2_ticks
from lobjax.snapshot.bounds import UNIT
from lobjax.snapshot.fills import fill
from lobjax.wide import Wide, product, to_float


class Sent(NamedTuple):
    """What an agent sends: one signed size; 0 sends nothing."""

    lots: jax.Array  # int32, bought positive


class SnapshotParams(flax.struct.PyTreeNode):
    """A part of a day on the device, and the rules' numbers."""

    bids: jax.Array  # int32 [T, levels, 2]
    asks: jax.Array  # int32 [T, levels, 2]
    time: Time  # int32 [T], after midnight
    first: jax.Array  # int32 [S], snapshots at which episodes may start
    last: jax.Array  # int32, the last snapshot that may be read, by hindsight too
    costs: Costs
    capital_lots: jax.Array  # int32, the cash at the start buys so many lots at the first best ask
    position_limit: jax.Array  # int32
    leverage_limit: jax.Array  # float32
    patience: jax.Array  # int32, further snapshots on which leftovers go on
    discount: jax.Array  # float32, of hindsight


class SnapshotState(flax.struct.PyTreeNode):
    """Where the market and the account stand."""

    row: jax.Array  # int32
    now: Time
    bids: jax.Array  # int32 [levels, 2], of this snapshot
    asks: jax.Array  # int32 [levels, 2]
    account: Account
    value: Wide  # liquidation value here, 10^-4 ticks x lots
    order: jax.Array  # int32, signed lots that are left over
    looks: jax.Array  # int32, snapshots on which they will still be tried
    last_mid2: jax.Array  # int32, twice the mid of the snapshot before
    traded_lots: jax.Array  # int32
    clipped_lots: jax.Array  # int32, cut back by the limits
    unfilled_lots: jax.Array  # int32, replaced or given up
    hindsight: jax.Array  # float32, the future reward of the last step's fill; for training only

    def counts(self) -> dict[str, jax.Array]:
        """What the rules cut, for `info`."""
        return {"clipped_lots": self.clipped_lots, "unfilled_lots": self.unfilled_lots}


@dataclass(frozen=True, kw_only=True)
class SnapshotMarket:
    """See the module's text."""

    delay: int  # snapshots between a decision and its first look at the book: 0 or 1
    horizon: int  # of hindsight; 0 computes none

    @property
    def step_messages(self) -> int:
        """0: there are none to count."""
        return 0

    @property
    def runs_on(self) -> Choice:
        """No engine is chosen: there are no messages to match."""
        return Choice("xla", "snapshots have no messages to match")

    def open(self, key: jax.Array, params: SnapshotParams, start: jax.Array | None = None) -> SnapshotState:
        """The account with nothing but cash at a numbered start, or at one drawn."""
        number = jax.random.randint(key, (), 0, params.first.shape[0], jnp.int32) if start is None else start
        row = params.first[number]
        bids, asks = params.bids[row], params.asks[row]
        account = opened(product(params.capital_lots, _entry_price(bids, asks)))
        zero = jnp.int32(0)
        return SnapshotState(
            row=row, now=_time_at(params, row), bids=bids, asks=asks, account=account,
            value=liquidation_value(account, bids, asks, params.costs), order=zero, looks=zero, last_mid2=mid2_ticks(bids, asks),
            traded_lots=zero, clipped_lots=zero, unfilled_lots=zero, hindsight=jnp.float32(0),
        )  # fmt: skip

    def step(
        self, key: jax.Array, state: SnapshotState, orders: Sent, until: Any, params: SnapshotParams
    ) -> SnapshotState:
        """One snapshot further; nothing is drawn, and `until` is not looked at."""
        is_new = orders.lots != 0
        wanted = jnp.where(is_new, orders.lots, state.order)
        looks = jnp.where(is_new, params.patience + 1, state.looks)
        order = _within_limits(state, wanted, params)
        at = jnp.minimum(state.row + self.delay, params.last)
        got = fill(params.bids[at], params.asks[at], jnp.where(looks > 0, order, 0))
        account = settled(state.account, got.cash, got.filled, params.costs)
        left, looks = order - got.filled, jnp.maximum(looks - 1, 0)
        row = jnp.minimum(state.row + 1, params.last)
        bids, asks = params.bids[row], params.asks[row]
        lost = jnp.where(is_new, jnp.abs(state.order), 0) + jnp.where(looks == 0, jnp.abs(left), 0)
        return SnapshotState(
            row=row, now=_time_at(params, row), bids=bids, asks=asks, account=account,
            value=liquidation_value(account, bids, asks, params.costs),
            order=jnp.where(looks > 0, left, 0),
            looks=looks,
            last_mid2=mid2_ticks(state.bids, state.asks),
            traded_lots=state.traded_lots + jnp.abs(got.filled),
            clipped_lots=state.clipped_lots + jnp.abs(wanted - order),
            unfilled_lots=state.unfilled_lots + lost,
            hindsight=self._hindsight(state.account, account, at, params),
        )  # fmt: skip

    def _hindsight(self, before: Account, after: Account, at: jax.Array, params: SnapshotParams) -> jax.Array:
        if self.horizon == 0:
            return jnp.float32(0)
        return future_reward(
            before, after, params.bids, params.asks, at, params.last, self.horizon, params.discount, params.costs
        )


def _entry_price(bids: jax.Array, asks: jax.Array) -> jax.Array:
    """The best ask, or where there is none, the best bid."""
    return jnp.where(asks[0, 1] > 0, asks[0, 0], bids[0, 0])


def _within_limits(state: SnapshotState, wanted: jax.Array, params: SnapshotParams) -> jax.Array:
    """`wanted` lots, cut back as rule 2 says."""
    mid = jnp.maximum(mid2_ticks(state.bids, state.asks), 1).astype(jnp.float32) * 0.5
    levered = params.leverage_limit * jnp.maximum(to_float(state.value), 0) / UNIT / mid
    bound = jnp.minimum(params.position_limit, jnp.minimum(levered, 2.0**30).astype(jnp.int32))
    position = state.account.position
    return jnp.clip(wanted, jnp.minimum(-bound - position, 0), jnp.maximum(bound - position, 0))


def _time_at(params: SnapshotParams, row: jax.Array) -> Time:
    return Time(params.time.s[row], params.time.ns[row])
