"""The market's step as a loop in XLA: send, run every message in order of arrival, close, look.

This is the definition: other engines equal it to the bit (books in canonical order).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from lobjax import clock
from lobjax.book import depth, mid2, step
from lobjax.clock import Time
from lobjax.flow.base import Flow
from lobjax.market.accounts import book_trades
from lobjax.market.inflight import dispatch, peek
from lobjax.market.risk import clip_to_limits, only_own_orders
from lobjax.market.state import MarketParams, MarketState, Orders, Sizes
from lobjax.market.tape import blank_tape, last_price, record
from lobjax.types import Counters, Kind, Message


def suits() -> str:
    """Why `auto` takes this engine, where no faster one can run."""
    return "it runs anywhere"


class _Event(NamedTuple):
    message: Message
    at: Time
    from_agent: jax.Array


def market_step(
    flow: Flow, sizes: Sizes, state: MarketState, orders: Orders, until: Time, words: jax.Array, params: MarketParams
) -> MarketState:
    """One step of one market. words: uint32 `[sizes.draws, flow.words]`, a row for each of the flow's messages. See `Market.step`."""
    queue = dispatch(state.in_flight, orders.sent, state.now, clock.plus(params.feed_delay, params.order_delay))
    state = state.replace(in_flight=queue)
    state = state.replace(tape=blank_tape(mid2(state.book)))

    def waiting(drawn: jax.Array, state: MarketState) -> jax.Array:
        return clock.before(_next_at(state), until) & (drawn < sizes.step_messages if sizes.step_messages else True)

    def busy(carry: tuple[jax.Array, jax.Array, MarketState]) -> jax.Array:
        done, drawn, state = carry
        return (done < sizes.max_messages) & waiting(drawn, state)

    def turn(carry: tuple[jax.Array, jax.Array, MarketState]) -> tuple[jax.Array, jax.Array, MarketState]:
        # Words are counted by the flow's own messages, so that what agents send does not change what the flow draws.
        done, drawn, state = carry
        row = words[jnp.minimum(drawn, sizes.draws - 1)]
        at = _next_at(state)
        state, flows = _turn(flow, state, row, until, params)
        if sizes.step_messages:
            state = state.replace(now=clock.choose(clock.before(state.now, at), at, state.now))
        return done + 1, drawn + flows.astype(jnp.int32), state

    _, drawn, state = jax.lax.while_loop(busy, turn, (jnp.int32(0), jnp.int32(0), state))
    state = state.replace(late=state.late + waiting(drawn, state).astype(jnp.int32))
    if not sizes.step_messages:
        state = state.replace(now=until)

    def close(state: MarketState, message: Message) -> tuple[MarketState, None]:
        return _apply(state, _Event(message, state.now, jnp.bool_(True)), params, closing=True), None

    state, _ = jax.lax.scan(close, state, orders.closing)
    return state.replace(depth=depth(state.book, sizes.levels))


def _next_at(state: MarketState) -> Time:
    _, arrival = peek(state.in_flight)
    return clock.choose(clock.at_or_before(arrival, state.due), arrival, state.due)


def _turn(
    flow: Flow, state: MarketState, words: jax.Array, until: Time, params: MarketParams
) -> tuple[MarketState, jax.Array]:
    """One message: the earlier of the next agent's and the flow's; nothing if neither comes before `until`. And: was it the flow's?"""
    sent, arrival = peek(state.in_flight)
    agent = clock.at_or_before(arrival, state.due)
    at = clock.choose(agent, arrival, state.due)
    active = clock.before(at, until)
    flow_state, drawn, wait = flow.next(state.flow, state.book, words, params.flow)
    message = jax.tree.map(lambda a, b: jnp.where(agent, a, b), sent, drawn)
    message = message._replace(kind=jnp.where(active, message.kind, Kind.NOOP))
    state = _apply(state, _Event(message, at, agent), params)
    flows = active & ~agent
    state = state.replace(
        flow=jax.tree.map(lambda new, old: jnp.where(flows, new, old), flow_state, state.flow),
        due=clock.choose(flows, clock.plus(state.due, wait), state.due),
        in_flight=state.in_flight.replace(head=state.in_flight.head + (active & agent).astype(jnp.int32)),
    )
    return state, flows


def _apply(state: MarketState, event: _Event, params: MarketParams, *, closing: bool = False) -> MarketState:
    message = only_own_orders(state.book, event.message)
    message, clipped = clip_to_limits(state.book, state.accounts.lots, message, params.limits, closing=closing)
    book, outcome = step(state.book, message)
    elapsed = clock.minus(event.at, state.opened)
    elapsed_ms = elapsed.s * 1000 + elapsed.ns // 1_000_000
    mine = event.from_agent
    return state.replace(
        book=book,
        accounts=book_trades(state.accounts, message, outcome, params.fees, mid2(state.book), elapsed_ms),
        tape=record(state.tape, message, outcome.traded, last_price(outcome.fills), closing=closing),
        counters=_add_where(mine, state.counters, outcome.counters),
        flow_counters=_add_where(~mine, state.flow_counters, outcome.counters),
        clipped_lots=state.clipped_lots + clipped,
    )


def _add_where(condition: jax.Array, total: Counters, new: Counters) -> Counters:
    return jax.tree.map(lambda t, n: t + jnp.where(condition, n, 0), total, new)
