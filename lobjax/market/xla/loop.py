"""The market's step as a loop in XLA: send, run every message in order of arrival, then the closing ones, look.

This is the definition: other engines equal it to the bit (books in canonical order).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from lobjax import clock
from lobjax.book import depth, mid2, step
from lobjax.clock import Time
from lobjax.flow.base import Flow
from lobjax.kinds import Kind
from lobjax.market.accounts import book_trades
from lobjax.market.inflight import dispatch, peek
from lobjax.market.journal import blank_journal, write
from lobjax.market.risk import clip_to_limits, only_own_orders
from lobjax.market.safeguards import end_step, guard
from lobjax.market.state import MarketParams, MarketState, Orders, Sizes
from lobjax.market.tape import blank_tape, last_price, record
from lobjax.types import Counters, Message


class _Place(NamedTuple):
    """How far a step has come; int32 scalars."""

    handled: jax.Array  # messages of agents and of the flow
    drawn: (
        jax.Array
    )  # messages of the flow: words are counted by these, so that what agents send does not change what it draws
    closed: jax.Array  # closing messages


class _Event(NamedTuple):
    message: Message
    at: Time
    of_flow: jax.Array
    flow_begins: jax.Array  # the flow's first of the step
    closing: jax.Array


def market_step(
    flow: Flow, sizes: Sizes, state: MarketState, orders: Orders, until: Time, words: jax.Array, params: MarketParams
) -> MarketState:
    """One step of one market. words: uint32 `[sizes.draws, flow.words]`, a row for each of the flow's messages. See `Market.step`."""
    queue = dispatch(state.in_flight, orders.sent, state.now, clock.plus(params.feed_delay, params.order_delay))
    state = state.replace(in_flight=queue, tape=blank_tape(mid2(state.book)))
    if state.journal is not None:
        state = state.replace(journal=blank_journal(state.journal.message.kind.shape[0]))
    closings = orders.closing.kind.shape[0]
    last = jnp.max(
        jnp.where(orders.closing.kind != Kind.NOOP, jnp.arange(1, closings + 1, dtype=jnp.int32), 0), initial=0
    )

    def waits(state: MarketState, place: _Place) -> jax.Array:
        by_clock = clock.before(_next_at(state), until)
        return by_clock & (place.drawn < sizes.step_messages) if sizes.step_messages else by_clock

    def goes_on(state: MarketState, place: _Place) -> jax.Array:
        return waits(state, place) & (place.handled < sizes.max_messages)

    def busy(carry: tuple[MarketState, _Place]) -> jax.Array:
        return goes_on(*carry) | (carry[1].closed < last)

    def turn(carry: tuple[MarketState, _Place]) -> tuple[MarketState, _Place]:
        state, place = carry
        event, state, place = _next(state, place, goes_on(state, place))
        return _apply(state, event, params), place

    def _next(state: MarketState, place: _Place, on: jax.Array) -> tuple[_Event, MarketState, _Place]:
        """The earlier of the next agent's and the flow's message; when the step is over (`on` False), the venue's next closing one."""
        sent, arrival = peek(state.in_flight)
        of_agent = on & clock.at_or_before(arrival, state.due)
        of_flow = on & ~of_agent
        at = clock.choose(on, _next_at(state), state.now if sizes.step_messages else until)
        row = words[jnp.minimum(place.drawn, sizes.draws - 1)]
        flow_state, drawn, wait = flow.next(state.flow, state.book, row, params.flow)
        message = jax.tree.map(lambda a, b: jnp.where(of_agent, a, b), sent, drawn)
        if closings:
            closing = jax.tree.map(lambda x: x[jnp.minimum(place.closed, closings - 1)], orders.closing)
            message = jax.tree.map(lambda a, b: jnp.where(on, a, b), message, closing)
        state = state.replace(
            flow=jax.tree.map(lambda new, old: jnp.where(of_flow, new, old), flow_state, state.flow),
            due=clock.choose(of_flow, clock.plus(state.due, wait), state.due),
            in_flight=state.in_flight.replace(head=state.in_flight.head + of_agent.astype(jnp.int32)),
        )
        if sizes.step_messages:
            state = state.replace(now=clock.choose(clock.before(state.now, at), at, state.now))
        event = _Event(message, at, of_flow, of_flow & (place.drawn == 0), ~on)
        counts = (on, of_flow, ~on)
        place = _Place(*(n + one.astype(jnp.int32) for n, one in zip(place, counts, strict=True)))
        return event, state, place

    zero = jnp.int32(0)
    state, place = jax.lax.while_loop(busy, turn, (state, _Place(zero, zero, zero)))
    state = state.replace(late=state.late + waits(state, place).astype(jnp.int32))
    if not sizes.step_messages:
        state = state.replace(now=until)
    if state.halting is not None and params.safeguards is not None:
        state = state.replace(halting=end_step(state.halting, mid2(state.book), params.safeguards))
    return state.replace(depth=depth(state.book, sizes.levels))


def _next_at(state: MarketState) -> Time:
    _, arrival = peek(state.in_flight)
    return clock.choose(clock.at_or_before(arrival, state.due), arrival, state.due)


def _apply(state: MarketState, event: _Event, params: MarketParams) -> MarketState:
    message, halting = event.message, state.halting
    if halting is not None and params.safeguards is not None:
        halting, message = guard(halting, message, params.safeguards)
    message = only_own_orders(state.book, message)
    lots, closing, mid2_ticks = state.accounts.lots, event.closing, mid2(state.book)
    message, clipped = clip_to_limits(state.book, lots, message, params.limits, closing=closing)
    book, outcome = step(state.book, message)
    elapsed = clock.minus(event.at, state.opened)
    elapsed_ms = elapsed.s * 1000 + elapsed.ns // 1_000_000
    last, begins = last_price(outcome.fills), event.flow_begins
    journal = None if state.journal is None else write(state.journal, message)
    return state.replace(
        journal=journal,
        halting=halting,
        book=book,
        accounts=book_trades(state.accounts, message, outcome, params.fees, mid2_ticks, elapsed_ms),
        tape=record(state.tape, message, outcome.traded, last, mid2_ticks, flow_begins=begins, closing=closing),
        counters=_add_where(~event.of_flow, state.counters, outcome.counters),
        flow_counters=_add_where(event.of_flow, state.flow_counters, outcome.counters),
        clipped_lots=state.clipped_lots + clipped,
    )


def _add_where(condition: jax.Array, total: Counters, new: Counters) -> Counters:
    return jax.tree.map(lambda t, n: t + jnp.where(condition, n, 0), total, new)
