"""A market's step inside the GPU kernel: what `lobjax.market.xla.loop` does, message by message, with branches where that has selects.

One warp runs one market. The book, the accounts and all sums stay in registers from the first message to the last; agents' messages, the
flow's words and its parameters are read where they lie. Flow, limits, book, accounts and tape are the functions that other engines use,
or (the book, on flat slots) proven equal to them.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lobjax import clock
from lobjax.book import Depth, mid2
from lobjax.clock import Time
from lobjax.engine.kernel.book import (
    CLOSED,
    MIN_SLOTS,
    Sides,
    Slots,
    ask_key,
    bid_key,
    load_sides,
    renumbered,
    store_sides,
)
from lobjax.engine.kernel.moves import zero_of
from lobjax.engine.kernel.step import counted, step, tally
from lobjax.engine.kernel.view import FlatView
from lobjax.flow.base import Flow
from lobjax.market.accounts import Accounts, Trades, add_fill, anchor_of, row_of, settle
from lobjax.market.kernel.memory import Given, Moving, Rows, Shown, account_rows, load, load_rows, store, store_rows
from lobjax.market.kernel.messages import Next, first, from_agent, from_flow, from_venue, waits
from lobjax.market.risk import clip_to_limits, only_own_orders
from lobjax.market.safeguards import Halting, end_step, guard
from lobjax.market.state import Sizes
from lobjax.market.tape import Tape, blank_tape, record
from lobjax.types import Counters, Fills, Message, Side

_AGENT, _FLOW, _VENUE = range(3)  # sources of messages
# Where the counters of agents' and of the flow's messages begin in a vector of counts; the place before each is not used.
_AGENTS, _FLOWS = 1, 9


class _Running(NamedTuple):
    """What a turn changes."""

    next: Next
    now: Time
    sides: Sides
    accounts: Accounts
    tape: Tape
    counts: jax.Array  # int32 [32]
    clipped: jax.Array
    halting: Halting | None


def run(before: Moving, given: Given, after: Moving, shown: Shown, *, flow: Flow, sizes: Sizes) -> None:
    """One program: all leaves are references, and those of `after` may be those of `before`."""
    closings = given.closing.kind.shape[0] if given.closing is not None else 0
    rows = account_rows(sizes.accounts)
    sides = renumbered(load_sides(before.book), sizes.max_messages + closings)
    until = load(given.until)
    running = _Running(
        first(before, given),
        load(before.now),
        sides,
        load_rows(before.accounts, rows),
        blank_tape(mid2(FlatView(sides))),
        jnp.zeros((MIN_SLOTS,), jnp.int32),
        before.clipped_lots[...],
        load(before.halting),
    )

    def flowing(ahead: Next) -> jax.Array:
        return waits(ahead, until, sizes) & (ahead.handled < sizes.max_messages)

    def turn(running: _Running) -> _Running:
        ahead, view = running.next, FlatView(running.sides)
        on = flowing(ahead)
        sources = [partial(from_agent, given), partial(from_flow, flow, given, view)]
        sources += [partial(from_venue, given)] if closings else []
        source = jnp.where(on, jnp.where(ahead.agents, _AGENT, jnp.int32(_FLOW)), _VENUE)
        begins = (source == _FLOW) & (ahead.drawn == 0)
        following, message = jax.lax.switch(source, sources, ahead)
        # The time of a closing message is that of the step's end, which those before it have reached by then.
        at = clock.choose(on, ahead.at, running.now if sizes.step_messages else until)
        if sizes.step_messages:
            running = running._replace(now=clock.choose(clock.before(running.now, at), at, running.now))
        return _apply(running._replace(next=following), view, given, message, at, source, begins, rows, sizes.accounts)

    def busy(running: _Running) -> jax.Array:
        return flowing(running.next) | (running.next.closed < closings)

    running = jax.lax.while_loop(busy, turn, running)
    after.late[...] = before.late[...] + waits(running.next, until, sizes).astype(jnp.int32)
    store(after.now, running.now if sizes.step_messages else until)
    store((after.flow, after.due, after.head), (running.next.flow, running.next.due, running.next.head))
    store_sides(after.book, running.sides)
    store_rows(after.accounts, running.accounts, rows)
    after.clipped_lots[...] = running.clipped
    if running.halting is not None and given.safeguards is not None:
        store(after.halting, end_step(running.halting, mid2(FlatView(running.sides)), load(given.safeguards)))
    _store_counts(before.counters, after.counters, counted(running.counts, _AGENTS))
    _store_counts(before.flow_counters, after.flow_counters, counted(running.counts, _FLOWS))
    store(shown.tape, running.tape)
    _store_depth(shown.depth, running.sides)


def _apply(
    running: _Running,
    view: FlatView,
    given: Given,
    message: Message,
    at: Time,
    source: jax.Array,
    begins: jax.Array,
    rows: jax.Array,
    owners: int,
) -> _Running:
    """One message: the broker's checks, the book, the accounts, the tape."""
    accounts, halting = running.accounts, running.halting
    closing = source == _VENUE
    if halting is not None and given.safeguards is not None:
        halting, message = guard(halting, message, load(given.safeguards))

    def checked(message: Message) -> tuple[Message, jax.Array]:
        message = only_own_orders(view, message)
        lots: Any = Rows(accounts.lots, owners)
        return clip_to_limits(view, lots, message, given.limits, closing=closing)

    def unchecked(message: Message) -> tuple[Message, jax.Array]:
        return message, zero_of(message.owner)

    message, clipped = jax.lax.cond(message.owner >= 1, checked, unchecked, message)
    mid = mid2(view)
    anchor = anchor_of(mid)
    zero = zero_of(message.owner)
    none = jnp.zeros(rows.shape, jnp.int32)

    def on_fill(carry: tuple[Trades, jax.Array], taker: jax.Array, fill: Fills) -> tuple[Trades, jax.Array]:
        trades, last = carry
        return add_fill(trades, fill, anchor, rows, owners), jnp.where(fill.lots > 0, fill.price, last)

    carry = (Trades(zero, zero, zero + 1, none, none), zero)
    sides, outcome, (trades, last) = step(running.sides, message, carry, on_fill)

    def book(accounts: Accounts) -> Accounts:
        takes = row_of(outcome.taker, owners) == rows
        elapsed = clock.minus(at, load(given.opened))
        elapsed_ms = elapsed.s * 1000 + elapsed.ns // 1_000_000
        fees = load_rows(given.fees, rows)
        return settle(accounts, trades, takes, message.side == Side.BID, fees, mid, elapsed_ms)

    accounts = jax.lax.cond(trades.lots != 0, book, lambda same: same, accounts)
    return running._replace(
        sides=sides,
        accounts=accounts,
        tape=record(running.tape, message, outcome.traded, last, mid, flow_begins=begins, closing=closing),
        counts=tally(running.counts, outcome, jnp.where(source == _FLOW, _FLOWS, jnp.int32(_AGENTS))),
        clipped=running.clipped + clipped,
        halting=halting,
    )


def _store_counts(before: Counters, after: Counters, new: Counters) -> None:
    for old, ref, count in zip(before, after, new, strict=True):
        ref[...] = old[...] + count


def _store_depth(depth: Depth, sides: Sides) -> None:
    """The best levels, side by side, as reductions: the best key, its lots, the next."""
    levels = depth.price_ticks.shape[1]
    for side, slots, price_of in ((Side.BID, sides.bids, bid_key), (Side.ASK, sides.asks, ask_key)):

        def level(
            at: jax.Array, last: jax.Array, side: int = side, slots: Slots = slots, price_of=price_of
        ) -> jax.Array:
            best = jnp.min(jnp.where(slots.key > last, slots.key, CLOSED))
            depth.price_ticks[side, at] = jnp.where(best < 0, price_of(best), 0)
            depth.size_lots[side, at] = jnp.sum(jnp.where(slots.key == best, slots.size, 0), dtype=jnp.int32)
            return best

        jax.lax.fori_loop(np.int32(0), np.int32(levels), level, jnp.int32(-(2**31)))
