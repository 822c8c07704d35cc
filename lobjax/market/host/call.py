"""A market's step as a call of the Numba handler, in jitted, vmapped, scanned and pmapped programs on the CPU.

Under `vmap`, however nested, all markets are one call, parallel over markets; what is not mapped (a recorded day, fees) is
passed once and shared. Equal to `lobjax.market.xla.loop` to the bit; books come back without holes.
"""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numba
import numpy as np

from lobjax.clock import Time
from lobjax.ffi.handlers import register
from lobjax.flow.base import Flow
from lobjax.flow.host.draw import leaves_of, twin_of
from lobjax.market.host.batch import compile_handler
from lobjax.market.host.memory import IN_PARAMS, OUT_COUNT
from lobjax.market.safeguards import Safeguards, open_halting
from lobjax.market.state import MarketParams, MarketState, Orders, Sizes

_TARGET = "lobjax_market_step"
# The fields of `MarketState` that a call gives back, in its order.
_CHANGED = (
    "book", "depth", "flow", "now", "due", "in_flight", "accounts", "tape", "counters", "flow_counters", "clipped_lots", "late",
    "halting",
)  # fmt: skip


def market_step(
    flow: Flow, sizes: Sizes, state: MarketState, orders: Orders, until: Time, words: jax.Array, params: MarketParams
) -> MarketState:
    """One step of one market; the contract is `lobjax.market.xla.loop.market_step`'s. ValueError if a shape is not what `sizes` says.

    words: as there, or a key that the engine takes.
    """
    register(_TARGET, compile_handler)
    by_key = jnp.issubdtype(words.dtype, jax.dtypes.prng_key)
    flow_words, flow_tree = jax.tree.flatten(state.flow)
    flow_leaves = leaves_of(flow, state.flow, params.flow)
    halting, without = state.halting, state.halting is None or params.safeguards is None
    if without:  # the handler takes them in any case: without a reference nothing is refused
        zero = jnp.int32(0)
        state = state.replace(halting=open_halting(zero))
        params = params.replace(safeguards=Safeguards(zero, zero))
    state = state.replace(flow=jnp.stack(flow_words))
    operands = list(_operands(sizes, flow.words, state, orders, until, words, params, by_key=by_key))
    leaves, tree = jax.tree.flatten([getattr(state, name) for name in _CHANGED])
    if (len(operands), len(leaves)) != (IN_PARAMS, OUT_COUNT):
        raise AssertionError(
            "lobjax.market.host.memory does not list the leaves of MarketState and MarketParams as they are"
        )
    shapes = [jax.ShapeDtypeStruct(jnp.shape(leaf), jnp.int32) for leaf in leaves]
    call = jax.ffi.ffi_call(_TARGET, shapes, vmap_method="expand_dims")
    attributes = {
        "flow": twin_of(flow),
        "max_messages": sizes.max_messages,
        "step_messages": sizes.step_messages,
        "threads": numba.get_num_threads(),
        "width": flow.words,
        "words": sizes.draws * flow.words if by_key else 0,  # to be made there
    }
    attributes = {name: np.int64(value) for name, value in attributes.items()}
    changed = jax.tree.unflatten(tree, call(*operands, *flow_leaves, **attributes))
    state = state.replace(**dict(zip(_CHANGED, changed, strict=True)))
    if without:
        state = state.replace(halting=halting)
    return state.replace(flow=jax.tree.unflatten(flow_tree, list(state.flow)))


def _operands(
    sizes: Sizes,
    width: int,
    state: MarketState,
    orders: Orders,
    until: Time,
    words: jax.Array,
    params: MarketParams,
    *,
    by_key: bool,
) -> Iterator[jax.Array]:
    """The arguments of a call in the order of `host.memory`, all but the flow's parameters: checked, as the handler cannot."""
    queue, rows = (sizes.queue_places,), (sizes.accounts + 1,)
    words = jax.random.key_data(words) if by_key else words
    records: tuple[tuple[Any, tuple[int, ...]], ...] = (
        (state.book, (2, sizes.capacity)),
        (state.flow, jnp.shape(state.flow)),
        ((state.now, state.due, state.opened), ()),
        ((state.in_flight.message, state.in_flight.arrival), queue),
        ((state.in_flight.head, state.in_flight.dropped), ()),
        (state.accounts.replace(inexact=None), rows),
        ((state.accounts.inexact, state.counters, state.flow_counters, state.clipped_lots, state.late), ()),
        (state.halting, ()),
        (orders.sent, jnp.shape(orders.sent.kind)),
        (orders.closing, jnp.shape(orders.closing.kind)),
        (until, ()),
        (words, jnp.shape(words) if by_key else (sizes.draws, width)),
        ((params.fees, params.feed_delay, params.order_delay, params.limits), rows),
        (params.safeguards, ()),
    )
    for record, shape in records:
        for path, leaf in jax.tree_util.tree_leaves_with_path(record):
            array = jnp.asarray(leaf)
            dtype = jnp.uint32 if record is words else jnp.int32
            if array.shape != shape or array.dtype != dtype:
                name = type(record).__name__ + jax.tree_util.keystr(path)
                raise ValueError(f"{name} is {array.dtype}{array.shape}, must be {np.dtype(dtype)}{shape}")
            yield array
