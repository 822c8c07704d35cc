"""The paper's observation against a plain computation from its text, order by order, and against cases worked by hand."""

import functools
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.book import Book, listing
from lobjax.engine.kernel.book import from_book
from lobjax.env.base import AGENT
from lobjax.errors import InputError
from lobjax.flow import PoissonConfig
from lobjax.kinds import Kind
from lobjax.tasks import EnvConfig, ExecutionConfig, MarketConfig, make
from lobjax.tasks.execution.paper import PaperParams, PaperView, Standing
from lobjax.types import AGENT_ID_BASE, Side
from tests.market.scripted import market_of, play

LOTS, ENVS = 20, 48
TASK = ExecutionConfig(lots=LOTS, decisions=5, step_s=15.0, observation="paper", price_scale_ticks=10.0)
VENUE = MarketConfig(capacity=256, max_messages=256)
SHAPE = (3.946425, 10.759585, 16.278854, 18.873662, 19.587928)
OPENING = sum(PoissonConfig().opening_lots)


def mid_of(bids, asks):
    return (bids[0][0] + asks[0][0]) / 2


def ratio(a, b):
    return (a - b) / (a + b) if a + b else 0.0


def from_the_text(bids, asks, *, time, left, best_bid_0, mid_0, market_lots, limit_lots, mid_then):
    """Section 2 of the paper's specification for a sale. bids, asks: rows (price, size, id, owner), best first; lots: (bought, sold)."""
    bid, ask, mid = bids[0][0], asks[0][0], mid_of(bids, asks)

    def lots_at(orders, price):
        return sum(size for p, size, *_ in orders if p == price)

    bid_lots = [lots_at(bids, ask - k) for k in range(1, 6)]
    ask_lots = [lots_at(asks, bid + k) for k in range(1, 6)]
    first = [time, left / LOTS, (bid - best_bid_0) / 10, (mid - mid_0) / 10, (ask - bid) / 10]
    first += [ratio(sum(bid_lots), sum(ask_lots)), ratio(*market_lots), ratio(*limit_lots), (mid - mid_then) / 10]
    lots, resting = [], 0  # (level, units ahead) of each own lot at a working level
    for number, (price, size, _, owner) in enumerate(asks):
        if owner == AGENT:
            resting += size
            ahead = sum(s for p, s, *_ in asks[:number] if p == price)
            lots += [(price - ask + 1, ahead + k) for k in range(size) if price - ask < 5]
    own = [sum(level == at for level, _ in lots) for at in range(1, 6)]
    own = [n / max(left, 1) for n in (*own, resting - len(lots), left - resting)]
    volumes = [n / usual for n, usual in zip(bid_lots + ask_lots, SHAPE * 2, strict=True)]
    waiting, sold = left - len(lots), LOTS - left
    levels = [level / 6 for level, _ in lots] + [1.0] * waiting + [-5 / 6] * sold
    queues = [ahead / 40 for _, ahead in lots] + [1.0] * waiting + [-1.0] * sold
    return np.array([*first, *own, *volumes, *levels, *queues])


@functools.cache
def environment(side="sell"):
    return make(EnvConfig(task=replace(TASK, side=side), market=VENUE))


@functools.cache
def played():
    """Observations and states over one episode of random actions in ENVS environments."""
    env = environment()
    reset, step = jax.jit(jax.vmap(env.reset)), jax.jit(jax.vmap(env.transition))
    observation, state = reset(jax.random.split(jax.random.key(3), ENVS))
    rows = [(observation, state)]
    rng = np.random.default_rng(0)
    for t in range(TASK.decisions):
        action = jnp.asarray(rng.dirichlet(np.full(7, 0.4), ENVS), jnp.float32)
        observation, state, *_ = step(jax.random.split(jax.random.key(100 + t), ENVS), rows[-1][1], action)
        rows.append((observation, state))
    return [jax.tree.map(np.asarray, row) for row in rows]


@functools.cache
def listed():
    """Bids and asks of each state of `played`, `[rows, ENVS, N, 4]`."""
    look = jax.jit(jax.vmap(listing))
    return [[np.asarray(side) for side in look(state.market.book)] for _, state in played()]


def test_equals_the_text_in_random_episodes():
    assert environment().observation_size == 26 + 2 * LOTS == len(set(environment().observation_names))
    starts, seen = {}, {"sold": 0, "queued": 0, "elsewhere": 0, "own_best": 0}
    for (observation, state), sides in zip(played(), listed(), strict=True):
        for e in range(ENVS):
            bids, asks = ([tuple(map(int, row)) for row in side[e] if row[1] > 0] for side in sides)
            market, at = state.market, int(state.task.step[e])
            limit_lots = market.tape.limit_lots[e].astype(int)
            if at == 0:
                assert (market.now.s[e], market.now.ns[e]) == (0, 0) and market.accounts.lots[e, AGENT] == 0
                starts[e] = (bids[0][0], mid_of(bids, asks))
                limit_lots = limit_lots + OPENING
                assert market.tape.flow_mid2_ticks[e] == 2001  # the mid as the book opened, a step ago
            if at == TASK.decisions:  # own orders that still rest are void
                asks = [(*order[:3], 0) for order in asks]
            left = LOTS - abs(int(market.accounts.lots[e, AGENT]))
            expected = from_the_text(
                bids, asks, time=at / 5, left=left, best_bid_0=starts[e][0], mid_0=starts[e][1],
                market_lots=market.tape.market_lots[e].astype(int), limit_lots=limit_lots,
                mid_then=market.tape.flow_mid2_ticks[e] / 2,
            )  # fmt: skip
            np.testing.assert_allclose(observation[e], expected, rtol=2e-6, atol=1e-6)
            seen["sold"] += left < LOTS
            seen["queued"] += observation[e, 26 + LOTS] > 0 and observation[e, 26] < 1
            seen["elsewhere"] += observation[e, 14] > 0
            seen["own_best"] += asks[0][3] == AGENT
    assert min(seen.values()) > 5, seen


def flipped(market):
    """A market seen in a mirror: bids for asks, each price taken from 2,001."""

    def swap(x):
        return x[:, ::-1]

    book, shown, tape = market.book, market.depth, market.tape
    prices = np.where(shown.price_ticks > 0, 2001 - shown.price_ticks, 0)
    then = np.where(tape.flow_mid2_ticks != 0, 4002 - tape.flow_mid2_ticks, 0)
    pairs = {name: swap(getattr(tape, name)) for name in ("market_lots", "limit_lots", "traded_lots", "closing_lots")}
    return market.replace(
        book=Book(swap(2001 - book.price), *(swap(x) for x in (book.size, book.order_id, book.owner))),
        depth=shown._replace(price_ticks=swap(prices), size_lots=swap(shown.size_lots)),
        tape=tape.replace(**pairs, flow_mid2_ticks=then),
    )


def observer(env):
    return jax.jit(jax.vmap(lambda task, market: env.task.observe(task, market, env.default_params.task)))


def test_a_purchase_is_a_sale_in_a_mirror():
    look = observer(environment("buy"))
    for observation, state in played():
        task = state.task.replace(
            arrival_price=2001 - state.task.arrival_price, arrival_mid2=4002 - state.task.arrival_mid2
        )
        np.testing.assert_array_equal(look(task, flipped(state.market)), observation)


def test_any_form_of_the_same_book_gives_the_same_observation():
    """Books of the engine xla have holes, those of the kernel have slots in no order."""
    observation, state = played()[4]
    book = state.market.book
    rng = np.random.default_rng(1)
    assert (np.asarray(book.size) > 0).sum(2).max() < 190
    at = np.sort(rng.permuted(np.tile(np.arange(256), (ENVS, 2, 1)), axis=2)[:, :, :190], axis=2)
    spread = []
    for field in (book.price, book.size, book.order_id, book.owner):
        wide = np.zeros_like(field) if field is not book.price else np.full_like(field, 1001)
        np.put_along_axis(wide, at, field[:, :, :190], axis=2)
        spread.append(jnp.asarray(wide))
    look = observer(environment())
    for other in (Book(*spread), jax.jit(jax.vmap(from_book))(Book(*spread))):
        np.testing.assert_array_equal(look(state.task, state.market.replace(book=other)), observation)


def test_lots_at_three_levels_by_hand():
    """Own orders between others', one of them filled in part, one cut, one beyond the levels; a lot is still on its way."""
    ask, mine = Side.ASK, AGENT_ID_BASE
    script = [
        (0.1, (Kind.LIMIT, Side.BID, 100, 9, 1, 0)),
        (0.2, (Kind.LIMIT, ask, 101, 4, 2, 0)),
        (0.3, (Kind.LIMIT, ask, 102, 6, 3, 0)),
        (1.5, (Kind.LIMIT, ask, 101, 2, 4, 0)),
        (2.5, (Kind.MARKET, Side.BID, 0, 5, 0, 0)),  # the four before us and one of ours
        (2.6, (Kind.LIMIT, Side.BID, 98, 3, 5, 0)),
    ]
    market, params, state = market_of(script)
    state = play(market, params, state, 1)
    state = play(market, params, state, 2, [(Kind.LIMIT, ask, 101, 3, mine, 1), (Kind.LIMIT, ask, 102, 2, mine + 1, 1)])
    assert int(state.tape.flow_mid2_ticks) == 201
    more = [
        (Kind.LIMIT, ask, 101, 1, mine + 2, 1),
        (Kind.REDUCE, ask, 102, 1, 0, 1),
        (Kind.LIMIT, ask, 105, 2, mine + 3, 1),
    ]
    state = play(market, params, state, 3, more)
    view = PaperView(ask, 3, 10, AGENT)
    numbers = PaperParams(jnp.asarray([1.0, 0.5, 0.25]), jnp.float32(1), jnp.zeros(2, jnp.int32))
    scales = (jnp.float32(0.1), jnp.float32(0.1), jnp.float32(1))
    standing = Standing(jnp.int32(2), jnp.bool_(False), jnp.int32(9), jnp.int32(100), jnp.int32(201), *scales)
    got = jax.jit(view.observe)(standing, state, numbers)
    # The book: asks 101: 2 own, 2, 1 own; 102: 6, 1 own; 105: 2 own. Bids 100: 9; 98: 3. Nine lots left, three of them nowhere.
    expected = [
        0.2, 0.9, 0, 0, 1, (12 - 12) / 24, (5 - 0) / 5, (3 - 3) / 6, 0, 3 / 9, 1 / 9, 0, 2 / 9, 3 / 9,
        9, 0, 3 / 4, 5, 7 / 2, 0,
        .25, .25, .25, .5, 1, 1, 1, 1, 1, -.75,
        0, 1, 4, 6, 1, 1, 1, 1, 1, -1,
    ]  # fmt: skip
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7)
    assert len(view.names) == len(expected) == 11 + 3 * 3 + 2 * 10


def test_the_mid_before_the_flow_is_that_after_the_agents_orders():
    buy = (Kind.MARKET, Side.BID, 0, 4, 0, 1)
    script = [
        (0.1, (Kind.LIMIT, Side.BID, 100, 9, 1, 0)),
        (0.2, (Kind.LIMIT, Side.ASK, 101, 4, 2, 0)),
        (0.3, (Kind.LIMIT, Side.ASK, 103, 4, 3, 0)),
        (1.5, (Kind.MARKET, Side.BID, 0, 4, 0, 0)),
        (1.6, (Kind.LIMIT, Side.BID, 99, 1, 4, 0)),
    ]
    market, params, state = market_of(script)
    state = play(market, params, state, 1)
    assert int(state.tape.flow_mid2_ticks) == 0  # the book was empty
    assert int(play(market, params, state, 2).tape.flow_mid2_ticks) == 201
    after = play(market, params, state, 2, [buy], [buy])
    assert int(after.tape.opening_mid2_ticks) == 201 and int(after.tape.flow_mid2_ticks) == 203
    none = play(market, params, play(market, params, state, 2), 3, [(Kind.LIMIT, Side.ASK, 102, 1, AGENT_ID_BASE, 1)])
    assert int(none.tape.flow_mid2_ticks) == 0 and int(none.tape.messages) == 1
    market, params, state = market_of(script, delay_s=0.55)
    late = play(market, params, play(market, params, state, 1), 2, [buy])
    assert int(late.tape.flow_mid2_ticks) == 201


def warm_up(seconds, **task):
    config = EnvConfig(task=replace(TASK, **task), flow=PoissonConfig(warm_up_s=seconds), market=VENUE)
    params = make(config).default_params
    opening = [0, 0] if params.task.paper is None else params.task.paper.opening_lots.tolist()
    return params.warm_up.s.tolist(), opening


def test_a_whole_step_comes_before_the_first_decision():
    assert warm_up(40.0) == ([10, 15, 15], [0, 0])
    assert warm_up(40.0, observation="features") == ([15, 15, 10], [0, 0])
    assert warm_up(15.0) == ([15], [OPENING] * 2) and warm_up(4.0) == ([4], [OPENING] * 2)
    assert warm_up(0.0) == ([], [0, 0])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reference": "same"}, "needs reference 'opposite'"),
        ({"offsets_ticks": (0, 1, 2, 3, 4)}, "offsets_ticks 1, 2, 3"),
        ({"offsets_ticks": (1, 2, 3)}, "each of the 3 levels of offsets_ticks; volume_scale_lots has 5"),
        ({"step_messages": 50}, "set step_messages to 0"),
        ({"volume_scale_lots": (4.0, 0.0, 1.0, 1.0, 1.0)}, r"volume_scale_lots\[1\]: 0.0 is out of range"),
        ({"queue_scale_lots": float("nan")}, "queue_scale_lots: nan is out of range"),
        ({"lots": 5000}, "at most 1024"),
    ],
)
def test_what_the_observation_cannot_be_of_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        replace(TASK, **changes)


def test_depth_must_reach_as_far_as_the_levels():
    with pytest.raises(InputError, match=r"env\.market\.levels.*set it to 5 or more"):
        make(EnvConfig(task=TASK, market=replace(VENUE, levels=4)))
