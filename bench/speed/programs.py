"""The engines as programs that can be timed alike: fresh books on the device and messages in, books, lots and counters out; no fills.

An entry beyond those of `lobjax.engine` is a function like the others here in `PROGRAMS`.
"""

import time
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from bench.timing import numba_files
from lobjax.book import Book, empty_book, listing
from lobjax.engine import host, kernel, xla
from lobjax.engine.kernel.book import from_book
from lobjax.errors import InputError
from lobjax.reference import batch
from lobjax.types import Counters, Message


class Ran(NamedTuple):
    """What a call left: books as the engine holds them, lots traded `[B, M]`, the five counters `[B]`."""

    books: Any
    traded: jax.Array
    counters: Counters


class Program(NamedTuple):
    """One engine at one capacity."""

    empty: Callable[[], Any]  # one empty book, as the engine holds it
    run: Callable[[Any, Message], Ran]  # one book, messages [M]; to be mapped over books
    in_place: bool  # a call may write its books over the ones it was given


def _host(capacity: int) -> Program:
    def run(book: Book, messages: Message) -> Ran:
        book, (traded, _, counters) = host.replay(book, messages, fills=False)
        return Ran(book, traded, _totals(counters))

    return Program(lambda: empty_book(capacity), run, in_place=False)


def _xla(capacity: int) -> Program:
    def run(book: Book, messages: Message) -> Ran:
        book, (traded, _, counters) = xla.replay(book, messages, fills=False)
        return Ran(book, traded, _totals(counters))

    return Program(lambda: empty_book(capacity), run, in_place=True)


def _kernel(capacity: int) -> Program:
    def run(book: Any, messages: Message) -> Ran:
        done = kernel.replay(book, messages)
        return Ran(done.book, done.traded, done.counters)

    return Program(lambda: from_book(empty_book(capacity)), run, in_place=True)


PROGRAMS: dict[str, Callable[[int], Program]] = {"host": _host, "xla": _xla, "kernel": _kernel}


def interpreted(engine: str) -> dict[str, bool]:
    """What a record says where the kernel ran in Pallas' interpreter, so that its figure is not taken for a speed."""
    return {"interpreted": True} if engine == "kernel" and kernel.interpreted() else {}


def fresh(program: Program, books: int) -> Callable[[], Any]:
    """A function that puts `books` empty books on the device."""
    return jax.jit(lambda: jax.tree.map(lambda x: jnp.broadcast_to(x, (books, *jnp.shape(x))), program.empty()))


def check_devices(count: int) -> None:
    """InputError where JAX has fewer devices here."""
    if not 1 <= count <= jax.local_device_count():
        raise InputError(
            f"--devices {count}: JAX has {jax.local_device_count()} here; a CPU is made into more with "
            f"XLA_FLAGS=--xla_force_host_platform_device_count={max(count, 1)}"
        )


def spread(function: Callable, devices: int) -> tuple[Callable, Callable[[Any], Any]]:
    """A function of batches that runs a part on each device, and how arrays (or shapes) are laid out for it."""
    if devices == 1:
        return function, lambda tree: tree
    mesh = jax.make_mesh((devices,), ("books",))
    parts = jax.sharding.PartitionSpec("books")
    sharding = jax.sharding.NamedSharding(mesh, parts)

    def place(tree: Any) -> Any:
        def one(leaf: Any) -> Any:
            is_shape = isinstance(leaf, jax.ShapeDtypeStruct)
            return leaf.update(sharding=sharding) if is_shape else jax.device_put(leaf, sharding)

        return jax.tree.map(one, tree)

    return jax.shard_map(function, mesh=mesh, in_specs=parts, out_specs=parts, check_vma=False), place


def shapes(program: Program, books: int, length: int, place: Callable[[Any], Any]) -> tuple[Any, Message]:
    """Books and messages of a call as shapes."""
    held = jax.eval_shape(fresh(program, books))
    return place((held, Message(*[jax.ShapeDtypeStruct((books, length), jnp.int32)] * len(Message._fields))))


def state_bytes(program: Program) -> int:
    """Bytes that one book takes on the device."""
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(jax.eval_shape(program.empty)))


def differing(ran: Ran, messages: Message, capacity: int) -> int:
    """Books in which lots traded, counters or the book at the end differ from the reference's."""
    books, length = messages.kind.shape
    held = max(1, (1 << 26) // (capacity * 32 + length * 32))
    listed = jax.jit(jax.vmap(lambda book: jnp.stack(listing(book))))
    left, wrong = jax.tree.map(np.asarray, (ran.books, ran.traded, jnp.stack(ran.counters, axis=1))), 0
    for first in range(0, books, held):
        part = slice(first, min(first + held, books))
        bids, asks, traded, _, *counters = batch.run(Message(*(field[part] for field in messages)), capacity)
        mine, lots, counts = jax.tree.map(lambda x, part=part: x[part], left)
        equal = (np.asarray(listed(mine)) == np.stack([bids, asks], axis=1)).all(axis=(1, 2, 3))
        equal &= (lots == traded).all(axis=1) & (counts == np.stack(counters, axis=1)).all(axis=1)
        wrong += int((~equal).sum())
    return wrong


@cache
def reference_compiled() -> tuple[float, bool]:
    """Seconds of the reference's first call in this process, and whether Numba compiled in them, rather than to load."""
    begun, cached = time.perf_counter(), numba_files()
    batch.run(Message(*[np.zeros((1, 1), np.int32)] * len(Message._fields)), 1)
    return time.perf_counter() - begun, numba_files() != cached


def reference_seconds(messages: Message, capacity: int, runs: int) -> list[float]:
    """Seconds of each run of the reference: one thread, fills and listings written out."""
    seconds = []
    for _ in range(runs + 1):  # the first run, which touches its memory anew, is not counted
        begun = time.perf_counter()
        batch.run(messages, capacity)
        seconds.append(time.perf_counter() - begun)
    return seconds[1:]


def _totals(counters: Counters) -> Counters:
    return Counters(*(counter.sum(axis=0, dtype=jnp.int32) for counter in counters))
