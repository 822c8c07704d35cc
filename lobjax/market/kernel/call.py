"""A market's whole step as one GPU kernel, in which a warp holds a market on chip from the first message to the last.

Pallas with the Triton backend; `lobjax.engine.kernel` is the same for streams. What is not mapped by `vmap` (a recorded day, fees) is
stored once and shared. Equal to `lobjax.market.xla` to the bit; `MarketState.book` is a `FlatBook`, whose orders are not sorted between
steps. Anywhere but on a GPU it runs in Pallas' interpreter, for tests, and slow.
"""

import warnings
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton

from lobjax import clock
from lobjax.book import Depth, empty_book
from lobjax.clock import Time
from lobjax.engine.kernel.book import MIN_SLOTS, FlatBook, from_book, load_sides
from lobjax.engine.kernel.call import interpreted
from lobjax.engine.kernel.view import FlatView
from lobjax.errors import InputError
from lobjax.flow.base import Flow
from lobjax.market.inflight import dispatch
from lobjax.market.kernel.loop import run
from lobjax.market.kernel.memory import Given, Moving, Row, Shown, load, moved, moving, store
from lobjax.market.state import MarketParams, MarketState, Orders, Sizes
from lobjax.market.tape import blank_tape
from lobjax.types import Message


def opened(state: MarketState) -> MarketState:
    """A market at its opening, its book on flat slots."""
    return state.replace(book=from_book(state.book))


def market_step(
    flow: Flow,
    sizes: Sizes,
    state: MarketState,
    orders: Orders,
    until: Time,
    words: jax.Array,
    params: MarketParams,
    *,
    interpret: bool | None = None,
) -> MarketState:
    """One step of one market; the contract is `lobjax.market.xla.loop.market_step`'s. interpret: None for the default of the backend.

    InputError if the flow cannot be compiled into a GPU kernel.
    """
    interpret = interpreted() if interpret is None else interpret
    if not interpret:
        check_flow(flow, state.flow, params.flow)
    before, given = operands(state, orders, until, words, params)
    after, shown = pl.pallas_call(
        partial(run, flow=flow, sizes=sizes),
        out_shape=results(sizes, before),
        input_output_aliases={leaf: leaf for leaf in range(len(jax.tree.leaves(before)))},  # first in both
        compiler_params=triton.CompilerParams(num_warps=1, num_stages=1),
        interpret=interpret,
        name="lobjax_market",
    )(before, given)
    return moved(state, given, after, shown)


def operands(
    state: MarketState, orders: Orders, until: Time, words: jax.Array, params: MarketParams
) -> tuple[Moving, Given]:
    """What the kernel is handed: the market, with the agents' messages on their way."""
    queue = dispatch(state.in_flight, orders.sent, state.now, clock.plus(params.feed_delay, params.order_delay))
    given = Given(
        opened=state.opened,
        queue=queue.replace(head=None),
        closing=orders.closing if orders.closing.kind.shape[0] else None,
        until=until,
        words=words if words.size else None,
        fees=params.fees,
        limits=params.limits,
        safeguards=params.safeguards,
        flow=params.flow,
    )
    return moving(state.replace(in_flight=queue)), given


def results(sizes: Sizes, before: Moving) -> tuple[Moving, Shown]:
    """What it gives back, as shapes."""
    levels = jnp.zeros((2, sizes.levels), jnp.int32)
    shown = jax.eval_shape(lambda: Shown(Depth(levels, levels), blank_tape(jnp.int32(0))))
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(jnp.shape(x), x.dtype), (before, shown))


def check_flow(flow: Flow, state: Any, params: Any) -> None:
    """InputError, in one line, if `flow.next` with this state and these parameters (or their shapes) cannot be compiled into a kernel."""
    if type(flow).__hash__ is None:
        raise InputError(
            f"engine: kernel cannot run, as the flow {type(flow).__name__} cannot be hashed; make it a frozen dataclass"
        )
    leaves, tree = jax.tree.flatten((state, params))
    if error := _flow_error(flow, tree, tuple((jnp.shape(x), jnp.dtype(x.dtype)) for x in leaves)):
        raise InputError(
            f"engine: kernel cannot run, as the flow {type(flow).__name__} cannot be compiled into a GPU kernel ({error}); "
            "see lobjax.flow.base, or use the engine xla"
        )


@lru_cache(maxsize=64)  # flows that were asked about are held here
def _flow_error(flow: Flow, tree: Any, shapes: tuple) -> str | None:
    """What stands against a kernel that only draws one message, in the first line of the compiler's words."""
    book = jax.eval_shape(lambda: from_book(empty_book(MIN_SLOTS)))
    words = jax.ShapeDtypeStruct((1, flow.words), jnp.uint32) if flow.words else None
    state, params = jax.tree.unflatten(tree, [jax.ShapeDtypeStruct(*shape) for shape in shapes])

    def kernel(state: Any, params: Any, book: FlatBook, words: Any, *out: Any) -> None:
        view = FlatView(load_sides(book))
        row = Row(words, jnp.int32(0)) if words is not None else words
        store(out, flow.next(load(state), view, row, params))  # pyright: ignore[reportArgumentType]

    def draw(state: Any, params: Any, book: FlatBook, words: Any) -> Any:
        integer: Any = jax.ShapeDtypeStruct((), jnp.int32)
        shapes = (state, Message(*[integer] * len(Message._fields)), Time(integer, integer))
        shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), shapes)
        parameters = triton.CompilerParams(num_warps=1, num_stages=1)
        return pl.pallas_call(kernel, out_shape=shapes, compiler_params=parameters)(state, params, book, words)

    try:
        with warnings.catch_warnings():  # that the Triton backend will be replaced one day is no refusal
            warnings.simplefilter("ignore")
            jax.jit(draw).trace(state, params, book, words).lower(lowering_platforms=("cuda",))
    except Exception as error:  # whatever the compiler stumbles over
        return str(error).strip().splitlines()[0].split(". ")[0].rstrip(".")
    return None
