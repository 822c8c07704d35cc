"""What can be known of the market's GPU kernel without a GPU: it lowers for CUDA, and its code is free of a known miscompile."""

import re
from functools import partial

import jax
import jax.numpy as jnp
import pytest

from bench.verification.kernel.market import FLOWS, market_of, random_orders
from lobjax.market.kernel import call as kernel
from lobjax.market.safeguards import Safeguards
from tests.engine.test_kernel_lowering import lower, narrow_selects, triton_code

MARKETS = 64
pytestmark = pytest.mark.filterwarnings("ignore:The Pallas Triton backend is deprecated")


def lower_market(flow: str, capacity: int, guarded: bool) -> str:
    market, params = market_of(flow, capacity)
    if guarded:
        params = params.replace(safeguards=Safeguards(jnp.int32(3), jnp.int32(2)))
    keys = jax.random.split(jax.random.key(0), MARKETS)
    states = jax.eval_shape(lambda: jax.vmap(lambda key: kernel.opened(market.open(key, params)))(keys))
    words = jax.ShapeDtypeStruct((MARKETS, market.sizes.draws, market.flow.words), jnp.uint32)
    step = partial(kernel.market_step, market.flow, market.sizes, interpret=False)
    orders = jax.eval_shape(lambda: random_orders(0, MARKETS))
    return lower(jax.vmap(step, in_axes=(0, 0, 0, 0, None)), states, orders, states.now, words, params)


@pytest.mark.parametrize(
    ("flow", "capacity", "guarded"),
    [*((flow, 64, False) for flow in FLOWS), ("recorded", 128, False), ("recorded", 64, True)],
)
def test_lowers_for_cuda_through_triton_without_a_narrowed_select(flow, capacity, guarded, monkeypatch, capfd):
    lowered = []
    code = triton_code(monkeypatch, capfd, lambda: lowered.append(lower_market(flow, capacity, guarded)))
    assert re.search(r"xla\.gpu\.triton|triton_kernel_call", lowered[0])
    assert code.count("arith.select") > 50
    assert narrow_selects(code) == []
