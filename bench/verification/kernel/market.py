"""The compiled market kernel by `ptx` beside this, each step against `lobjax.market.xla`: is it right, and what does a message take."""

from collections import Counter
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from bench.verification.kernel.ptx import Program
from lobjax.book import empty_book, listing
from lobjax.clock import Time, from_seconds, plus
from lobjax.engine.random_streams import random_streams
from lobjax.flow import PoissonConfig, PoissonFlow, RecordedFlow
from lobjax.flow.recorded import to_device
from lobjax.market import Fees, Limits, Market, MarketParams, MarketState, Orders
from lobjax.market.kernel import call as kernel
from lobjax.market.kernel.memory import moved
from lobjax.market.xla import loop
from lobjax.types import Message

FLOWS = ("poisson", "recorded")
SENT, CLOSING = 4, 1  # messages of the agents a step
STEP_S = 4.0
_RECORD = 4096  # messages


class MarketRun(NamedTuple):
    """What the steps of a few markets showed."""

    equals_loop: bool
    messages: int  # of agents and of the flow
    executed: Counter[str]  # opcodes


def market_of(flow: str, capacity: int) -> tuple[Market, MarketParams]:
    """A market to compile and to play: of noise traders, all traders, or a record; with fees, delays and limits of two accounts."""
    if flow == "poisson":
        playing: Any = PoissonFlow()
        numbers: Any = playing.params(_simulated(capacity), capacity)
    else:
        playing, numbers = RecordedFlow(), _recorded(capacity)
    zeros, ones = jnp.zeros((3,), jnp.int32), jnp.arange(3, dtype=jnp.int32)
    params = MarketParams(
        flow=numbers,
        fees=Fees(-150 * ones, 275 * ones),
        feed_delay=Time(zeros, 400_000_000 * ones),
        order_delay=Time(zeros, 300_000_000 * ones),
        limits=Limits(-40 * ones, 40 * ones, zeros),
    )
    return Market(flow=playing, capacity=capacity, accounts=2, queue_places=16), params


def play(code: str, flow: str, capacity: int, markets: int = 4, steps: int = 3) -> MarketRun:
    """Run the PTX of `lobjax.market.kernel.call.market_step`, compiled for `market_of(flow, capacity)`, on a few markets."""
    market, params = market_of(flow, capacity)
    program, executed, messages, equal = Program(code), Counter(), 0, True
    keys = jax.random.split(jax.random.key(0), markets)
    opening = jax.vmap(lambda key: market.open(key, params))(keys)
    expected, state = opening.replace(book=opening.book.ordered()), jax.vmap(kernel.opened)(opening)
    by_definition = jax.jit(jax.vmap(partial(loop.market_step, market.flow, market.sizes), in_axes=(0, 0, 0, 0, None)))
    for number in range(steps):
        words = jax.random.bits(jax.random.key(number), (markets, market.sizes.draws, market.flow.words))
        orders = random_orders(number, markets)
        until = plus(state.now, from_seconds(STEP_S))
        expected = by_definition(expected, orders, until, words, params)
        state = _step(program, executed, market, state, orders, until, words, params)
        messages += int(state.tape.messages.sum())
        equal &= _equal(state, expected)
    return MarketRun(equal, messages, executed)


def random_orders(seed: int, markets: int) -> Orders:
    """Messages of every kind and owner, int32 `[markets, SENT]` and `[markets, CLOSING]`; only the last market has large ones."""

    def batch(length: int) -> Message:
        messages = random_streams((seed, length), markets, length)
        large = np.arange(markets)[:, None] == markets - 1
        messages = messages._replace(size=np.where(large, messages.size, np.minimum(messages.size, 24)))
        return Message(*(jnp.asarray(field) for field in messages))

    return Orders(batch(SENT), batch(CLOSING))


def _step(
    program: Program,
    executed: Counter[str],
    market: Market,
    state: MarketState,
    orders: Orders,
    until: Time,
    words,
    params,
) -> MarketState:
    """One step of the markets by the compiled code: its parameters are the operands' leaves, then the results'."""
    before, given = jax.vmap(kernel.operands, in_axes=(0, 0, 0, 0, None))(state, orders, until, words, params)
    given = given.replace(fees=params.fees, limits=params.limits, flow=params.flow)  # not mapped: stored once
    one = jax.tree.map(lambda x: x[0], before)
    leaves, tree = jax.tree.flatten(kernel.results(market.sizes, one))
    results = [np.zeros((state.late.shape[0], *leaf.shape), np.int32) for leaf in leaves]
    operands = [np.array(leaf) for leaf in jax.tree.leaves((before, given))]
    buffers = [buffer.view(np.int32).reshape(-1) for buffer in (*operands, *results)]
    for number in range(state.late.shape[0]):
        executed += program.run(number, buffers)
    after, shown = jax.tree.unflatten(tree, results)
    return moved(state, given, *jax.tree.map(jnp.asarray, (after, shown)))


def _equal(state: MarketState, expected: MarketState) -> bool:
    listed = [jax.vmap(lambda s: s.replace(book=listing(s.book)))(s) for s in (state, expected)]
    return all(map(np.array_equal, *map(jax.tree.leaves, listed)))


def _simulated(capacity: int) -> PoissonConfig:
    config = PoissonConfig(warm_up_s=0.0)
    return PoissonConfig(warm_up_s=0.0, opening_lots=config.opening_lots[:capacity])


def _recorded(capacity: int) -> Any:
    ns = np.arange(_RECORD, dtype=np.int64) * 170_000_000
    messages = Message(*(field[0] for field in random_streams(7, 1, _RECORD)))
    first = np.array([0, 1000, 2000])
    books = jax.tree.map(lambda x: jnp.stack([x] * len(first)), empty_book(capacity))
    return to_device(messages, ns // 10**9, ns % 10**9, first, ns[first], books)
