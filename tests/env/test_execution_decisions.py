"""Decisions of the execution task against the paper's text: shares to lots, cancel-and-replace, the order of messages."""

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.book import listing, step
from lobjax.env.base import AGENT
from lobjax.kinds import Kind
from tests.env.test_execution_paper import ENVS, LOTS, environment, played

LISTING = jax.jit(jax.vmap(listing))


def rows_of(book):
    """(price, size, owner) of live orders by side, best first, for each environment."""
    sides = [np.asarray(side) for side in LISTING(book)]
    return [[[[int(r[0]), int(r[1]), int(r[3])] for r in side[e] if r[1] > 0] for side in sides] for e in range(ENVS)]


def by_the_text(bids, asks, action, left):
    """The book after a decision to sell, before anybody else acts; changes its arguments. Returns the lots of each message."""
    bid, lots = bids[0][0], []
    for share in action[:-1]:
        lots.append(min(int(np.round(share * np.float32(left))), left - sum(lots)))
    cut_lots = []
    for level in range(1, 6):
        own = [order for order in asks if order[2] == AGENT and order[0] == bid + level]
        cut = too_many = max(sum(order[1] for order in own) - lots[level], 0)
        cut_lots.append(too_many)
        for order in reversed(own):  # the newest first
            taken = min(cut, order[1])
            order[1], cut = order[1] - taken, cut - taken
    for order in asks:
        if order[2] == AGENT and order[0] > bid + 5:
            cut_lots.append(order[1])
            order[1] = 0
    added = []
    for level in range(1, 6):
        resting = sum(order[1] for order in asks if order[2] == AGENT and order[0] == bid + level)
        added.append((bid + level, lots[level] - resting))
    rest = lots[0]
    for order in bids:
        taken = min(rest, order[1])
        order[1], rest = order[1] - taken, rest - taken
    for price, size in added:
        behind = sum(order[0] <= price for order in asks)
        asks.insert(behind, [price, size, AGENT])
    sizes = (sum(cut_lots), lots[0], sum(size for _, size in added))
    return [[order for order in side if order[1] > 0] for side in (bids, asks)], sizes


def test_random_decisions_equal_the_text():
    env = environment()

    @jax.jit
    @jax.vmap
    def decide(task, market, action):
        _, orders = env.task.act(task, market, action, env.default_params.task)
        return jax.lax.scan(lambda book, message: (step(book, message)[0], None), market.book, orders.sent)[0], orders

    rng, kinds = np.random.default_rng(5), (Kind.REDUCE, Kind.MARKET, Kind.LIMIT)
    sent = np.zeros(3, int)
    for _, state in played()[:-1]:
        action = rng.dirichlet(np.full(7, 0.5), ENVS).astype(np.float32)
        book, orders = jax.tree.map(np.asarray, decide(state.task, state.market, jnp.asarray(action)))
        for e, (before, after) in enumerate(zip(rows_of(state.market.book), rows_of(book), strict=True)):
            left = LOTS - abs(int(state.market.accounts.lots[e, AGENT]))
            expected, sizes = by_the_text(*before, action[e], left)
            assert after == expected
            kind, size = orders.sent.kind[e], orders.sent.size[e]
            assert tuple(size[kind == each].sum() for each in kinds) == sizes
            order = [kinds.index(each) for each in kind if each != Kind.NOOP]
            assert order == sorted(order) and (orders.closing.kind[e] == Kind.MARKET) == (state.task.step[e] == 4)
            sent += np.bincount(order, minlength=3)
    assert sent.min() > 100
