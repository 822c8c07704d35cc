"""Informed traders and events: market orders come at the rates and in the sizes that their formulas say, and nothing else changes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from lobjax.flow import PoissonConfig, PoissonFlow
from lobjax.flow.driven import DrivenParams, nothing_driven
from lobjax.flow.fixed import to_rate
from lobjax.flow.poisson import PoissonState
from lobjax.kinds import Kind
from lobjax.types import Side

FLOW, CONFIG, DRAWS = PoissonFlow(), PoissonConfig(warm_up_s=0.0), 40_000
PARAMS = FLOW.params(CONFIG, 32)
MID2 = 2001  # of the opening book, half ticks
NEXT = jax.jit(
    jax.vmap(lambda words, params: FLOW.next(PoissonState(jnp.int32(1)), PARAMS.opening, words, params)[1:], (0, None))
)


def drawn(**changes):
    params = PARAMS.replace(driven=nothing_driven().replace(**changes))
    return jax.tree.map(np.asarray, NEXT(jax.random.bits(jax.random.key(2), (DRAWS, FLOW.words)), params))


def other_rates() -> float:
    """Events a second of everything but market orders, from the book and the configuration."""
    cancels = sum(c * 2 * lots for c, lots in zip(CONFIG.cancel_per_lot_s, CONFIG.opening_lots, strict=False))
    return 2 * sum(CONFIG.limit_per_s) + cancels


def test_nothing_driven_draws_what_the_flow_draws_without():
    words = jax.random.bits(jax.random.key(1), (2_000, FLOW.words))
    one, other = NEXT(words, PARAMS), NEXT(words, PARAMS.replace(driven=nothing_driven()))
    for x, y in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize(
    ("value2", "threshold2", "buys", "sells"),
    [
        (MID2 + 10, 4, 6, 0),  # half ticks that count, by side
        (MID2 - 10, 4, 0, 6),
        (MID2 + 3, 4, 0, 0),  # inside the threshold
        (MID2 + 500, 4, 20, 0),  # the cap
        (MID2 - 2**28, 0, 0, 20),
    ],
)
def test_informed_orders_come_at_rate_times_the_gap(value2, threshold2, buys, sells):
    each = 0.05
    message, _ = drawn(
        value2=jnp.int32(value2), threshold2=jnp.int32(threshold2), cap2=jnp.int32(20), rate=jnp.uint32(to_rate(each))
    )
    rates = [CONFIG.market_per_s + each * gap for gap in (buys, sells)]
    total = other_rates() + sum(rates)
    for side, rate in zip(Side, rates, strict=True):
        seen = int(((message.kind == Kind.MARKET) & (message.side == side)).sum())
        assert stats.binomtest(seen, DRAWS, rate / total).pvalue > 1e-3


def test_events_scale_market_orders_of_a_side_and_their_sizes_alone():
    plain, _ = drawn()
    message, _ = drawn(push=jnp.asarray([1 << 16, 8 << 16], jnp.uint32), size=jnp.uint32(3 << 15))
    rates = [CONFIG.market_per_s, 8 * CONFIG.market_per_s]
    total = other_rates() + sum(rates)
    for side, rate in zip(Side, rates, strict=True):
        seen = int(((message.kind == Kind.MARKET) & (message.side == side)).sum())
        assert stats.binomtest(seen, DRAWS, rate / total).pvalue > 1e-3
    # A size is drawn from its own word: the same draw, times one and a half, floored.
    both = (plain.kind == Kind.MARKET) & (message.kind == Kind.MARKET)
    np.testing.assert_array_equal(message.size[both], np.maximum(plain.size[both] * 3 // 2, 1))
    still = (plain.kind == message.kind) & (message.kind != Kind.MARKET)
    np.testing.assert_array_equal(message.size[still], plain.size[still])


def test_rates_saturate_and_never_wrap_around():
    most = DrivenParams(
        push=jnp.full((2,), 2**20 - 1, jnp.uint32), size=jnp.uint32(1 << 16), value2=jnp.int32(2**30), threshold2=jnp.int32(0),
        cap2=jnp.int32(2**20 - 1), rate=jnp.uint32(2**24 - 1),
    )  # fmt: skip
    message, wait = drawn(
        **{name: getattr(most, name) for name in ("push", "size", "value2", "threshold2", "cap2", "rate")}
    )
    buys = (message.kind == Kind.MARKET) & (message.side == Side.BID)
    assert buys.mean() > 0.85  # 64 a second of about 72
    assert int(wait.s.max()) == 0
