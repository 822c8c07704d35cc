"""The engine `host`: a market's step as a Numba program, compiled into jitted, vmapped, scanned and pmapped programs on the CPU.

Under `vmap`, however nested, all markets are one call, parallel over markets; what is not mapped (a recorded day, fees) is
passed once and shared. Equal to `lobjax.market.loop` to the bit; books come back without holes.
"""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp

from lobjax import ffi
from lobjax.clock import Time
from lobjax.flow.base import Flow
from lobjax.flow.host import FLOWS
from lobjax.flow.poisson import PoissonFlow
from lobjax.market.host_batch import compile_handler
from lobjax.market.state import MarketParams, MarketState, Orders, Sizes

_TARGET = "lobjax_market_step"


def market_step(
    flow: Flow, sizes: Sizes, state: MarketState, orders: Orders, until: Time, words: jax.Array, params: MarketParams
) -> MarketState:
    """One step of one market; the contract is `lobjax.market.loop.market_step`'s. ValueError if a shape is not what `sizes` says."""
    _register()
    records = _records(flow, sizes, state, orders, until, words, params)
    operands = [_checked(name, leaf, shape, dtype) for name, tree, shape, dtype in records for leaf in jax.tree.leaves(tree)]
    results = (
        state.book, state.depth, state.flow, state.due, state.in_flight, state.accounts, state.tape, state.counters,
        state.flow_counters, state.clipped_lots, state.late,
    )  # fmt: skip
    leaves, tree = jax.tree.flatten(results)
    shapes = [jax.ShapeDtypeStruct(jnp.shape(leaf), jnp.int32) for leaf in leaves]
    call = jax.ffi.ffi_call(_TARGET, shapes, vmap_method="expand_dims")
    names = (
        "book", "depth", "flow", "due", "in_flight", "accounts", "tape", "counters", "flow_counters", "clipped_lots", "late",
    )  # fmt: skip
    new = jax.tree.unflatten(tree, call(*operands, flow=_int64(FLOWS[type(flow)])))
    return state.replace(now=until, **dict(zip(names, new, strict=True)))
