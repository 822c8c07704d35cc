"""On a GPU: the compiled kernels against the reference and against XLA, to the bit. Run by `make gpu-check`."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bench.verification.streams.difference import differing_books
from lobjax import clock
from lobjax.book import listing
from lobjax.engine import run_streams, trace_streams
from lobjax.engine.random_streams import random_streams
from tests.env.environments import TASKS, simulated, trajectory
from tests.market.test_host import assert_equal, orders_of, recorded_case

pytestmark = [pytest.mark.gpu, pytest.mark.filterwarnings("ignore:The Pallas Triton backend is deprecated")]


def counted_recorded_case():
    case = recorded_case(step_messages=4, max_messages=12)
    target = case.params.limits.target.at[1:].set(0)
    return dataclasses.replace(case, params=case.params.replace(limits=case.params.limits._replace(target=target)))


@pytest.fixture(autouse=True)
def gpu():
    """The kernel would run in Pallas' interpreter anywhere else."""
    if jax.default_backend() != "gpu":
        pytest.skip("no GPU is JAX's default backend here")


@pytest.mark.parametrize("capacity", (8, 24, 64, 128, 512))
def test_the_kernel_equals_the_reference_after_every_message(capacity: int):
    messages = random_streams((1, capacity), 50, 200)
    expected = trace_streams(messages, engine="reference", capacity=capacity)
    differs = differing_books(expected, trace_streams(messages, engine="kernel", capacity=capacity))
    assert not differs.any(), f"{differs.sum()} of 50 streams differ; python -m bench conformance shrinks one"


@pytest.mark.parametrize("books", (1, 33, 4096))
@pytest.mark.parametrize("capacity", (8, 64, 100, 512))
def test_the_kernel_equals_the_reference_at_the_end_of_long_streams(books: int, capacity: int):
    messages = random_streams((2, capacity, books), books, 500)
    expected = run_streams(messages, engine="reference", capacity=capacity)
    assert not differing_books(expected, run_streams(messages, engine="kernel", capacity=capacity)).any()


def test_a_recorded_market_of_counted_steps_and_closing_orders_equals_that_of_xla():
    case, keys = counted_recorded_case(), jax.random.split(jax.random.key(5), 64)
    ends = []
    for engine in ("kernel", "xla"):
        market = dataclasses.replace(case.market, engine=engine)
        state = jax.vmap(lambda key, market=market: market.open(key, case.params))(keys)

        def step(key, state, orders, market=market):
            return market.step(key, state, orders, clock.never(), case.params)

        run = jax.jit(jax.vmap(step))
        for number in range(10):
            state = run(jax.vmap(jax.random.fold_in, (0, None))(keys, number), state, orders_of(case, number, (64,)))
        ends.append(state)
    assert_equal(*ends)
    assert int(ends[0].tape.closing_lots.sum()) > 0


@pytest.mark.parametrize("task", TASKS)
def test_markets_of_the_kernel_equal_those_of_xla(task: str):
    ends = []
    for engine in ("kernel", "xla"):
        state, rows = trajectory(simulated(task, engine=engine), 32, 6)
        listed = jax.vmap(lambda book: jnp.stack(listing(book)))(state.market.book)
        ends.append([*map(np.asarray, jax.tree.leaves((state.market.replace(book=listed), rows)))])
    assert len(ends[0]) == len(ends[1]) > 50
    for left, right in zip(*ends, strict=True):
        # Observations and rewards are sums of floats, which XLA may order otherwise in another program.
        floats = np.issubdtype(left.dtype, np.floating)
        assert np.allclose(left, right, rtol=1e-5, atol=1e-5) if floats else np.array_equal(left, right)
