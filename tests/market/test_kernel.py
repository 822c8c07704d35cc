"""The engine `kernel` of a market, in Pallas' interpreter, equals the other engines to the bit, in every leaf, step after step."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import pytest
from jax.extend.core import jaxprs_in_params

from lobjax.engine.kernel.book import FlatBook
from lobjax.errors import InputError
from lobjax.flow import PoissonFlow
from lobjax.flow.poisson import PoissonState
from lobjax.market import Market
from lobjax.market.engines import ENGINES
from lobjax.market.kernel import call as kernel
from tests.compiling import quick_jit
from tests.engine.test_kernel_lowering import pretended_gpu
from tests.market.test_host import assert_equal, one_step, opened, orders_of, poisson_case, recorded_case, traders_case

MARKETS = 4


def stepper(case, engine, jit=quick_jit):
    """(the case on an engine, its step over a batch of markets)."""
    case = dataclasses.replace(case, market=dataclasses.replace(case.market, engine=engine))
    return case, jit(jax.vmap(partial(one_step, case.market), in_axes=(0, 0, 0, None)))


def play_both(case, other, steps, seed=0):
    """Play steps on the engines kernel and `other`, each from its own last state; returns the states after each as pairs."""
    cases, steppers = zip(*(stepper(case, engine) for engine in ("kernel", other)), strict=True)
    states = tuple(opened(each, MARKETS) for each in cases)
    for number in range(seed, seed + steps):
        keys = jax.random.split(jax.random.key(number), MARKETS)
        orders = orders_of(case, number, (MARKETS,))
        states = tuple(step(keys, state, orders, case.params) for step, state in zip(steppers, states, strict=True))
        yield states


def cramped_case():
    """One account, one place in the queue, two orders a side, steps counted in messages, and nothing to close."""
    case = recorded_case(accounts=1, queue_places=1, capacity=2, step_messages=7)
    return dataclasses.replace(case, closing=0, sent=2)


# The definition once; else its twin on the CPU, which has no program to compile.
CASES = {
    "traders": (partial(traders_case, capacity=32), "auto", 25),
    "cramped": (cramped_case, "auto", 12),
    "recorded": (recorded_case, "xla", 25),
}


@pytest.mark.parametrize("name", CASES)
def test_equals_the_other_engines_in_every_leaf_after_every_step(name):
    make, other, steps = CASES[name]
    closed = 0
    for one, expected in play_both(make(), other, steps):
        assert_equal(one, expected)
        closed += int(one.tape.closing_lots.sum())
    assert isinstance(one.book, FlatBook)
    # The test saw what it is about.
    assert min(int(count.sum()) for count in (one.counters.unknown, one.counters.invalid, one.clipped_lots)) > 0
    assert bool((one.accounts.fees.low[:, 1:] != 0).any())
    if name != "cramped":
        assert int(one.late.sum()) > 0 and closed > 0
    if name != "traders":
        assert min(int(count.sum()) for count in (one.in_flight.dropped, one.flow_counters.stp)) > 0
    if name == "cramped":
        assert int(one.flow_counters.displaced.sum()) > 0


def test_one_market_without_a_batch():
    case = recorded_case()
    engines = [dataclasses.replace(case.market, engine=engine) for engine in ("kernel", "auto")]
    key, orders = jax.random.key(1), orders_of(case, 1)
    states = (market.open(key, case.params) for market in engines)
    steps = (jax.jit(partial(one_step, market)) for market in engines)
    done = (step(key, state, orders, case.params) for step, state in zip(steps, states, strict=True))
    assert_equal(*(jax.tree.map(lambda x: x[None], state) for state in done))


def test_a_recorded_day_is_an_operand_that_all_markets_share():
    case, step = stepper(recorded_case(), "kernel", jit=jax.jit)
    rows = case.params.flow.messages.kind.shape
    state, orders = opened(case, MARKETS), orders_of(case, 1, (MARKETS,))
    keys = jax.random.split(jax.random.key(1), MARKETS)
    traced = jax.make_jaxpr(step)(keys, state, orders, case.params).jaxpr
    call = next(eqn for eqn in _equations(traced) if eqn.primitive.name == "pallas_call")
    shapes = [x.aval.shape for x in call.invars]
    assert shapes.count(rows) == 8 and (MARKETS, *rows) not in shapes  # six fields and a time of two numbers


def _equations(jaxpr):
    for eqn in jaxpr.eqns:
        yield eqn
        for inner in jaxprs_in_params(eqn.params):
            yield from _equations(inner)


class Sorting(PoissonFlow):
    """A flow that no GPU kernel can hold."""

    def next(self, state, book, words, params):
        state, message, wait = super().next(state, book, words, params)
        return state, message._replace(size=jnp.sort(params.limit[...])[0].astype(jnp.int32) + 1), wait


class Undeclared:
    """A flow that says nothing about kernels."""

    words = 0


def test_a_flow_that_does_not_fit_a_kernel_is_refused_in_one_line():
    market = Market(flow=Undeclared(), capacity=8)
    assert market.runs_on.engine == "xla"
    with pytest.raises(
        InputError, match="kernel cannot run, as the flow Undeclared does not say that it can be compiled"
    ):
        _ = dataclasses.replace(market, engine="kernel").runs_on
    assert (
        ENGINES["kernel"]().refusal(Sorting()) is None
    )  # it says so; what it says is tried when its parameters are known
    params, state = poisson_case().params.flow, PoissonState(jnp.int32(1))
    words = r"the flow Sorting cannot be compiled into a GPU kernel \(.*sort.*\); see lobjax.flow.base, or use the engine xla$"
    with pretended_gpu():
        kernel.check_flow(PoissonFlow(), state, params)
        with pytest.raises(InputError, match=words):
            kernel.check_flow(Sorting(), state, params)
