"""The engine `host` equals the definition in XLA to the bit, in every leaf, however it is batched."""

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numba import njit

from lobjax.book import empty_book, listing
from lobjax.clock import Time, from_seconds, plus
from lobjax.errors import InputError
from lobjax.ffi import handlers
from lobjax.flow import (
    MixedFlow,
    PoissonConfig,
    PoissonFlow,
    RecordedFlow,
    StrategicConfig,
    StrategicFlow,
    TacticalConfig,
    fixed,
)
from lobjax.flow.driven import DrivenParams
from lobjax.flow.host import poisson as twins
from lobjax.flow.host.draw import twin_of
from lobjax.flow.recorded import to_device
from lobjax.flow.strategic import strategic_params
from lobjax.kinds import Kind
from lobjax.market import Fees, Limits, Market, MarketParams, Orders
from lobjax.types import AGENT_ID_BASE, Message
from tests.compiling import quick_jit

pytestmark = pytest.mark.skipif(
    handlers.refusal() is not None, reason=f"the engine host cannot run: {handlers.refusal()}"
)
SECONDS, LONG = from_seconds(0.7), from_seconds(6.0)


def random_messages(rng, shape, *, owners, mid=1000, ids=12) -> Message:
    """Messages of all kinds, a few of them invalid, with prices near `mid` and ids that meet each other."""
    kind = rng.choice([*Kind, Kind.LIMIT, Kind.LIMIT, Kind.REPLACE, Kind.MARKET, -1, 10], shape)
    side = np.where(rng.random(shape) < 0.04, rng.integers(-1, 4, shape), rng.integers(0, 2, shape))
    price = rng.integers(mid - 6, mid + 8, shape) * (rng.random(shape) < 0.97)
    size = rng.integers(-1, 14, shape)
    order_id = AGENT_ID_BASE * (rng.random(shape) < 0.95) + rng.integers(0, ids, shape)
    owner = rng.integers(-1, owners + 2, shape)
    return Message(*(jnp.asarray(x, jnp.int32) for x in (kind, side, price, size, order_id, owner)))


def numbers(rng, owners, flow) -> MarketParams:
    """Fees, delays and limits that differ between accounts; one account's delay outlasts steps."""
    rows = owners + 1

    def draw(low, high):
        return jnp.asarray(rng.integers(low, high, rows), jnp.int32)

    return MarketParams(
        flow=flow,
        fees=Fees(draw(-900, 900), draw(-900, 900)),
        feed_delay=Time(jnp.zeros(rows, jnp.int32).at[-1].set(1), draw(0, 10**9)),
        order_delay=Time(jnp.zeros(rows, jnp.int32), draw(0, 10**9)),
        limits=Limits(draw(-30, 0), draw(0, 30), draw(-3, 4)),
    )


def recorded_day(rng, rows, capacity, owners=1):
    """A made-up day of any messages, several of them at one instant, and three starts in it."""
    ns = np.sort(rng.integers(0, 200, rows)) * 50_000_000
    first = np.array([0, rows // 3, rows // 2])
    books = jax.tree.map(lambda x: jnp.stack([x] * 3), empty_book(capacity))
    messages = random_messages(rng, (rows,), owners=owners, ids=200)
    return to_device(messages, 34200 + ns // 10**9, ns % 10**9, first, 34200 * 10**9 + ns[first], books)


@dataclass(frozen=True, repr=False)
class Case:
    """A market, its parameters and random agents that send `sent` messages a step to it and `closing` to the venue."""

    market: Market
    params: MarketParams
    sent: int
    closing: int


def poisson_case(**sizes) -> Case:
    flow, rng = PoissonFlow(), np.random.default_rng(1)
    sizes = {"capacity": 64, "accounts": 2, "queue_places": 8, "max_messages": 9, "levels": 4, **sizes}
    config = PoissonConfig(opening_lots=(4, 11, 16, 19)[: sizes["capacity"]], warm_up_s=0.0)
    params = numbers(rng, sizes["accounts"], flow.params(config, sizes["capacity"]))
    return Case(Market(flow=flow, **sizes), params, sent=5, closing=2)


def traders_case(**sizes) -> Case:
    """A Poisson market in which traders read the imbalance, and one buys or sells all the time."""
    flow, rng = PoissonFlow(), np.random.default_rng(6)
    sizes = {"capacity": 16, "accounts": 2, "queue_places": 8, "max_messages": 9, "levels": 4, **sizes}
    config = PoissonConfig(
        opening_lots=(4, 11, 16, 19), warm_up_s=0.0, spread_ticks=2, tactical=TacticalConfig(scale=1.0, levels=7)
    )
    params = strategic_params(StrategicConfig(every_s=0.3), flow.params(config, sizes["capacity"]))
    return Case(Market(flow=StrategicFlow(flow), **sizes), numbers(rng, sizes["accounts"], params), sent=5, closing=2)


def driven_case(**sizes) -> Case:
    """A Poisson market with informed traders and market orders that events scale; the value moves away from the mid."""
    flow, rng = PoissonFlow(), np.random.default_rng(7)
    sizes = {"capacity": 64, "accounts": 2, "queue_places": 8, "max_messages": 9, "levels": 4, **sizes}
    config = PoissonConfig(opening_lots=(4, 11, 16, 19), warm_up_s=0.0, tactical=TacticalConfig(levels=7))
    driven = DrivenParams(
        push=jnp.asarray([3 << 15, 5 << 16], jnp.uint32), size=jnp.uint32(7 << 15), value2=jnp.int32(2006), threshold2=jnp.int32(2),
        cap2=jnp.int32(40), rate=jnp.uint32(1 << 14),
    )  # fmt: skip
    params = flow.params(config, sizes["capacity"]).replace(driven=driven)
    return Case(Market(flow=flow, **sizes), numbers(rng, sizes["accounts"], params), sent=5, closing=2)


def recorded_case(*, trader: bool = False, **sizes) -> Case:
    """A record of any messages; with `trader`, a strategic one beside it."""
    flow, rng = RecordedFlow(), np.random.default_rng(2)
    sizes = {"capacity": 8, "accounts": 3, "queue_places": 3, "max_messages": 12, "levels": 2, **sizes}
    day: Any = recorded_day(rng, 150, sizes["capacity"])
    if trader:
        flow, day = StrategicFlow(flow), strategic_params(StrategicConfig(every_s=0.8), day)
    return Case(Market(flow=flow, **sizes), numbers(rng, sizes["accounts"], day), sent=3, closing=1)


def orders_of(case, seed, shape=()) -> Orders:
    rng = np.random.default_rng(seed)
    draw = partial(random_messages, rng, owners=case.market.accounts)
    return Orders(draw((*shape, case.sent)), draw((*shape, case.closing)))


def one_step(market, key, state, orders, params):
    lasts = LONG if market.step_messages else SECONDS
    return market.step(key, state, orders, plus(state.now, lasts), params)


def assert_equal(one, other):
    """Equal in every leaf; books in canonical order."""
    one, other = (jax.vmap(lambda s: s.replace(book=listing(s.book)))(s) for s in (one, other))
    for (path, x), y in zip(jax.tree_util.tree_leaves_with_path(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(x, y, err_msg=jax.tree_util.keystr(path))
        assert x.dtype == y.dtype


def opened(case, markets):
    keys = jax.random.split(jax.random.key(5), markets)
    return jax.vmap(lambda key: case.market.open(key, case.params))(keys)


@pytest.mark.parametrize(
    "make",
    [
        poisson_case,
        partial(traders_case, capacity=4),
        partial(traders_case, step_messages=25, max_messages=27, queue_places=4),
        partial(recorded_case, trader=True),
        driven_case,
    ],
    ids=["poisson", "small", "counted", "recorded", "driven"],
)
def test_equals_the_definition_in_every_leaf_after_every_step(make):
    case, markets, steps = make(), 8, 30
    jit = jax.jit if make is poisson_case else quick_jit  # once as users get it
    xla, host = replace(case.market, engine="xla"), replace(case.market, engine="host")
    run = {m: jit(jax.vmap(partial(one_step, m), in_axes=(0, 0, 0, None))) for m in (xla, host)}
    state = opened(case, markets)
    for number in range(steps):
        keys = jax.random.split(jax.random.key(number), markets)
        orders = orders_of(case, number, (markets,))
        expected = run[xla](keys, state, orders, case.params)
        assert_equal(run[host](keys, state, orders, case.params), expected)
        state = expected  # with XLA's holes: the next step must skip them
    # The test saw what it is about.
    assert int(state.in_flight.dropped.sum()) > 0 and int(state.clipped_lots.sum()) > 0 and int(state.late.sum()) > 0
    assert bool((state.accounts.fees.low[:, 1:] != 0).any())
    # In long steps prices run away from those of the agents, who then never meet themselves.
    assert (int(state.counters.stp.sum()) > 0) is not bool(case.market.step_messages)
    assert int(state.counters.unknown.sum()) > 0 and int(state.counters.invalid.sum()) > 0


@pytest.mark.parametrize("make", [poisson_case, recorded_case], ids=["poisson", "recorded"])
def test_jit_no_jit_vmap_nested_vmap_and_one_by_one_agree(make):
    case = make()
    market = replace(case.market, engine="host")
    state, step = opened(case, 6), partial(one_step, market)
    keys, orders = jax.random.split(jax.random.key(1), 6), orders_of(case, 1, (6,))
    mapped = jax.vmap(step, in_axes=(0, 0, 0, None))
    together = mapped(keys, state, orders, case.params)
    assert_equal(jax.jit(mapped)(keys, state, orders, case.params), together)
    for at in range(6):
        single = jax.tree.map(lambda x, at=at: x[at], (keys, state, orders))
        alone = jax.tree.map(lambda x: x[None], (step(*single, case.params), jax.jit(step)(*single, case.params)))
        expected = jax.tree.map(lambda x, at=at: x[at : at + 1], together)
        assert_equal(alone[0], expected)
        assert_equal(alone[1], expected)

    # Two by three: orders by the outer axis only, keys by the inner one only, fees by either.
    params = [case.params.replace(fees=Fees(*(fee + k for fee in case.params.fees))) for k in range(2)]
    params = case.params.replace(fees=jax.tree.map(lambda *x: jnp.stack(x), params[0].fees, params[1].fees))
    outer = MarketParams(flow=None, fees=0, feed_delay=None, order_delay=None, limits=None)
    grid = jax.tree.map(lambda x: x.reshape(2, 3, *x.shape[1:]), state)
    few = jax.tree.map(lambda x: x[:2], orders)
    nested = jax.vmap(jax.vmap(step, in_axes=(0, 0, None, None)), in_axes=(None, 0, 0, outer))
    flat = jax.tree.map(lambda x: x.reshape(6, *x.shape[2:]), nested(keys[:3], grid, few, params))
    repeated = jax.tree.map(lambda x: jnp.repeat(x, 3, axis=0), (few, params.fees))
    all_params = case.params.replace(fees=repeated[1])
    inner = jnp.concatenate([keys[:3], keys[:3]])
    assert_equal(flat, jax.vmap(step, in_axes=(0, 0, 0, outer))(inner, state, repeated[0], all_params))


def test_a_recorded_day_is_shared_by_all_markets():
    rows, markets = 100_000, 32
    case = recorded_case()
    params = case.params.replace(flow=recorded_day(np.random.default_rng(3), rows, case.market.capacity))
    market, state = replace(case.market, engine="host"), opened(case, markets)
    keys, orders = jax.random.split(jax.random.key(1), markets), orders_of(case, 1, (markets,))
    run = jax.jit(jax.vmap(partial(one_step, market), in_axes=(0, 0, 0, None)))
    memory = run.lower(keys, state, orders, params).compile().memory_analysis()
    assert memory.temp_size_in_bytes < rows * 4  # not even one field of the day is copied


@njit
def exponential(word, log):
    return twins.exponential(word, log)


@njit
def waiting_time(draw, rate):
    return twins.waiting_time(draw, rate)


def test_random_quantities_equal_their_definitions():
    rng = np.random.default_rng(4)
    edges = np.array([0, 1, 2, 3, 2**31 - 1, 2**31, 2**32 - 1], np.uint32)
    words = np.concatenate(
        [edges, rng.integers(0, 2**32, 500, np.uint32), 2 ** rng.integers(0, 32, 50).astype(np.uint32)]
    )
    draws = np.asarray(fixed.exponential(jnp.asarray(words)))
    assert [exponential(word, fixed.MINUS_LOG) for word in words] == draws.tolist()
    rates = np.concatenate([[0, 1, 2, fixed.MAX_TOTAL_RATE], rng.integers(1, 2**24, words.size - 4)]).astype(np.uint32)
    wait = fixed.waiting_time(jnp.asarray(draws), jnp.asarray(rates))
    twin = [waiting_time(int(draw), int(rate)) for draw, rate in zip(draws, rates, strict=True)]
    np.testing.assert_array_equal(np.asarray(twin), np.stack(wait, axis=1))


def test_a_key_of_the_old_kind_draws_the_same():
    case = poisson_case()
    state, orders, market = case.market.open(jax.random.key(0), case.params), orders_of(case, 0), case.market
    new, old = (one_step(market, key, state, orders, case.params) for key in (jax.random.key(3), jax.random.PRNGKey(3)))
    assert_equal(*(jax.tree.map(lambda x: x[None], state) for state in (new, old)))


def test_a_wrong_shape_or_engine_is_refused_before_it_reaches_the_handler():
    case = poisson_case()
    state = case.market.open(jax.random.key(0), case.params)
    short = case.params.replace(fees=Fees(jnp.zeros(2, jnp.int32), jnp.zeros(2, jnp.int32)))
    with pytest.raises(AssertionError, match=r"has shape \(2,\) but expected \(3\)"):
        one_step(replace(case.market, engine="host"), jax.random.key(0), state, orders_of(case, 0), short)
    with pytest.raises(ValueError, match="engine must be one of auto, kernel, host, xla, not 'cuda'"):
        replace(case.market, engine="cuda")

    class Silence(PoissonFlow):
        pass

    assert case.market.runs_on == ("host", "the fastest on the CPU")
    choice = replace(case.market, flow=Silence()).runs_on
    assert choice.engine == "xla" and "host cannot run, as the flow Silence has no twin" in choice.reason
    # Their state would lie otherwise than the twin expects it.
    assert twin_of(StrategicFlow(MixedFlow())) is None and twin_of(StrategicFlow(StrategicFlow(PoissonFlow()))) is None
    with pytest.raises(InputError, match="host cannot run, as the flow Silence has no twin"):
        _ = replace(case.market, flow=Silence(), engine="host").runs_on


PMAP = """
import jax, jax.numpy as jnp, numpy as np
from dataclasses import replace
from functools import partial
from tests.market.test_host import assert_equal, one_step, opened, orders_of, poisson_case
case = poisson_case(capacity=128)
market, markets = replace(case.market, engine="host"), 4 * 256
state, orders = opened(case, markets), orders_of(case, 1, (markets,))
def steps(keys, state, orders):
    def body(state, key):
        split = jax.vmap(partial(jax.random.fold_in, key))(keys)
        return jax.vmap(partial(one_step, market), in_axes=(0, 0, 0, None))(split, state, orders, case.params), None
    return jax.lax.scan(body, state, jax.random.split(jax.random.key(7), 20))[0]
keys = jnp.arange(markets)
spread = jax.tree.map(lambda x: x.reshape(4, -1, *x.shape[1:]), (keys, state, orders))
parallel = jax.tree.map(lambda x: x.reshape(markets, *x.shape[2:]), jax.pmap(steps)(*spread))
assert_equal(parallel, jax.jit(steps)(keys, state, orders))
"""
LAYER = """
import jax
from tests.market.test_host import poisson_case
from dataclasses import replace
case = poisson_case()
print(case.market.runs_on.engine)
replace(case.market, engine="host").runs_on
"""


def run_script(script, **environment):
    return subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **environment}, timeout=240, capture_output=True, text=True
    )


def test_four_devices_that_call_at_once_give_what_one_gives():
    done = run_script(PMAP, XLA_FLAGS="--xla_force_host_platform_device_count=4")
    assert done.returncode == 0, done.stderr


def test_without_a_safe_threading_layer_auto_takes_xla_and_host_says_why():
    done = run_script(LAYER, NUMBA_THREADING_LAYER="workqueue")
    assert done.stdout == "xla\n"
    assert "engine: host cannot run, as Numba's threading layer is workqueue; install libgomp" in done.stderr
