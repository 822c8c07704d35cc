"""The engine `host` on streams: equal to the reference and to `xla`, from NumPy and inside compiled programs of every shape.

It shares the reference's `apply`, so that "equals the reference" is about buffers, batches and threads here, not about matching.
"""

import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.book import Book, empty_book, listing
from lobjax.engine import choose, host, run_streams, trace_streams, xla
from lobjax.engine.random_streams import random_streams
from lobjax.errors import InputError
from lobjax.ffi import handlers
from lobjax.flow import RecordedFlow
from lobjax.market import Market
from lobjax.types import Counters, Message

pytestmark = pytest.mark.skipif(
    handlers.refusal() is not None, reason=f"the engine host cannot run: {handlers.refusal()}"
)
LENGTH = 120


def streams(seed: int, *shape: int) -> Message:
    """Streams `[*shape, LENGTH]` on the device."""
    drawn = random_streams(seed, int(np.prod(shape)), LENGTH)
    return Message(*(jnp.asarray(field).reshape(*shape, LENGTH) for field in drawn))


def empty_books(capacity: int, *shape: int) -> Book:
    return jax.tree.map(lambda x: jnp.broadcast_to(x, (*shape, *x.shape)), empty_book(capacity))


def canonical(result) -> tuple:
    """Of one book: its listing, lots traded, fills without padding and with only lots where there are none, counters."""
    book, (traded, fills, counters) = result
    order = jnp.argsort(fills.lots == 0, axis=1, stable=True)
    rows = (jnp.where(fills.lots > 0, field, 0) for field in fills)
    return listing(book), traded, [jnp.take_along_axis(row, order, axis=1) for row in rows], counters


def assert_equal(one, other) -> None:
    for (path, x), y in zip(jax.tree_util.tree_leaves_with_path(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(x, y, err_msg=jax.tree_util.keystr(path))
        assert x.dtype == y.dtype


@pytest.mark.parametrize("capacity", (1, 8, 47, 128, 512))
@pytest.mark.parametrize("function", (run_streams, trace_streams))
def test_from_numpy_it_equals_the_reference(function, capacity):
    for books in (1, 40):
        messages = random_streams(capacity, books, LENGTH)
        expected = function(messages, engine="reference", capacity=capacity)
        for name, x, y in zip(
            expected._fields, expected, function(messages, engine="host", capacity=capacity), strict=True
        ):
            np.testing.assert_array_equal(y, x, err_msg=name, strict=True)


def test_more_books_than_a_range_of_threads_divides_evenly():
    for books in (2, 3, 257):
        messages = random_streams(books, books, 64)
        expected = run_streams(messages, engine="reference", capacity=8)
        assert_equal(run_streams(messages, engine="host", capacity=8), expected)


def test_replay_equals_xla_from_books_with_holes_and_call_after_call():
    messages, books = streams(1, 3, 20), empty_books(16, 20)
    run = {engine: jax.jit(jax.vmap(engine.replay)) for engine in (host, xla)}
    for turn in range(3):
        stream = jax.tree.map(lambda x, turn=turn: x[turn], messages)
        expected, found = run[xla](books, stream), run[host](books, stream)
        assert_equal(*(jax.vmap(canonical)(result) for result in (found, expected)))
        books = expected[0]  # with XLA's holes, which the next call must skip
        holes = jnp.diff((books.size > 0).astype(jnp.int32), axis=-1) > 0
        assert bool(holes.any())
        live = np.asarray(found[0].size) > 0
        assert (np.diff(live.astype(int), axis=-1) <= 0).all(), "its own books come without holes"
        assert not np.asarray(found[0].price)[~live].any(), "and with zeros behind the orders"


def test_jit_no_jit_vmap_nested_vmap_and_scan_agree():
    messages, books = streams(2, 2, 3), empty_books(8, 2, 3)
    nested = jax.vmap(jax.vmap(host.replay))(books, messages)
    flat = jax.tree.map(lambda x: x.reshape(6, *x.shape[2:]), (books, messages))
    expected = jax.tree.map(lambda x: x.reshape(6, *x.shape[2:]), nested)
    assert_equal(jax.jit(jax.vmap(host.replay))(*flat), expected)
    for k in range(6):
        one = jax.tree.map(lambda x, k=k: x[k], flat)
        for alone in (host.replay(*one), jax.jit(host.replay)(*one)):
            assert_equal(alone, jax.tree.map(lambda x, k=k: x[k], expected))

    # Message by message under scan, which is a call of one message for all books each.
    def one_by_one(book: Book, stream: Message):
        def body(book, message):
            book, outcome = host.replay(book, jax.tree.map(lambda x: x[None], message))
            return book, jax.tree.map(lambda x: x[0], outcome)

        return jax.lax.scan(body, book, stream)

    assert_equal(jax.jit(jax.vmap(one_by_one))(*flat), expected)


def test_what_is_not_mapped_is_shared():
    messages, books = streams(3, 4), empty_books(8, 5)
    grid = jax.vmap(jax.vmap(host.replay, in_axes=(None, 0)), in_axes=(0, None))(books, messages)
    row = jax.vmap(host.replay, in_axes=(None, 0))(empty_book(8), messages)
    for k in range(5):
        assert_equal(jax.tree.map(lambda x, k=k: x[k], grid), row)


def test_fills_can_be_left_out():
    messages, books = streams(4, 6), empty_books(8, 6)
    book, (traded, fills, counters) = jax.vmap(host.replay)(books, messages)
    assert int((fills.lots > 0).sum()) > 0 and isinstance(counters, Counters)
    assert_equal(jax.vmap(partial(host.replay, fills=False))(books, messages), (book, (traded, None, counters)))


def test_a_wrong_shape_or_type_is_refused_before_it_reaches_the_handler():
    book, messages = empty_book(8), jax.tree.map(lambda x: x[0], streams(5, 1))
    with pytest.raises(ValueError, match=r"messages.size is int32\(7,\), must be int32\(120,\)"):
        host.replay(book, messages._replace(size=messages.size[:7]))
    with pytest.raises(ValueError, match=r"book.owner is float32\(2, 8\), must be int32\(2, 8\)"):
        host.replay(book.replace(owner=book.owner.astype(jnp.float32)), messages)
    with pytest.raises(ValueError, match=r"book.price is int32\(5, 2, 8\), must be int32\(2, 8\)"):
        host.replay(empty_books(8, 5), messages)


def test_choose_says_what_it_took_and_why():
    assert choose("auto") == ("host", "the fastest on the CPU")
    assert choose("xla", 8) == ("xla", "as asked")
    with pytest.raises(InputError, match="unknown engine 'hots'; did you mean 'host'"):
        choose("hots")
    with pytest.raises(InputError, match="capacity: 513 is out of range"):
        choose("auto", 513)


@pytest.fixture
def newer_ffi(monkeypatch):
    """A jaxlib whose FFI the handlers were not written for."""
    monkeypatch.setattr(handlers, "api_version", lambda: (0, 9))
    handlers.refusal.cache_clear()
    yield
    handlers.refusal.cache_clear()


def test_an_unknown_ffi_version_is_said_and_auto_takes_xla(newer_ffi):
    reason = r"jaxlib's FFI has version \(0, 9\), known are .*; use the engine xla"
    market = Market(flow=RecordedFlow(), capacity=8)
    for choose_auto, choose_host in (
        (lambda: choose("auto"), lambda: choose("host")),
        (lambda: market.runs_on, lambda: replace(market, engine="host").runs_on),
    ):
        choice = choose_auto()
        assert choice.engine == "xla" and re.search(f"host cannot run, as {reason}", choice.reason)
        with pytest.raises(InputError, match=f"^engine: host cannot run, as {reason}$"):
            choose_host()


PMAP = """
import jax, numpy as np
from lobjax.engine import host
from tests.book.test_host_streams import assert_equal, empty_books, streams
messages, books = streams(6, 4, 64), empty_books(32, 4, 64)
def steps(book, messages):
    return jax.lax.scan(lambda b, _: (jax.vmap(host.replay)(b, messages)[0], None), book, None, 10)[0]
assert_equal(jax.pmap(steps)(books, messages), jax.jit(jax.vmap(steps))(books, messages))
"""
LAYER = """
from lobjax.engine import choose
print(*choose("auto"))
choose("host")
"""


def script(code: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, timeout=240, capture_output=True, text=True
    )


def test_four_devices_that_call_at_once_give_what_one_gives():
    done = script(PMAP, XLA_FLAGS="--xla_force_host_platform_device_count=4")
    assert done.returncode == 0, done.stderr


def test_without_a_safe_threading_layer_auto_takes_xla_and_says_why():
    done = script(LAYER, NUMBA_THREADING_LAYER="workqueue")
    assert done.stdout.startswith("xla it runs anywhere; host cannot run, as Numba's threading layer is workqueue")
    assert "engine: host cannot run, as Numba's threading layer is workqueue; install libgomp" in done.stderr
